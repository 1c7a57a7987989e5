"""Options shared by several commands."""

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar

import typer
from typer.models import OptionInfo

from facecli.cli.shared.completion import (
    complete_engine_options,
    complete_engines,
    complete_profiles,
    complete_tasks,
)
from facecli.config.amounts import format_default, parse_size, parse_time
from facecli.config.settings import ProgressKind as ProgressKindSetting
from facecli.config.settings import Settings, variable
from facecli.core.errors import InvalidInput

T = TypeVar("T")

QUIET_HELP = "Print only IDs or URLs."

_SETTINGS = {setting.name: setting for setting in fields(Settings)}


class SettingOption(OptionInfo):
    """Option for a setting; its help names the environment variable and the default."""

    def __init__(self, setting: str, **options: Any) -> None:
        default = f"; default: {text}" if (text := format_default(_SETTINGS[setting])) else ""
        super().__init__(
            default="--" + setting.replace("_", "-"),
            help=f"{_SETTINGS[setting].metadata['sentence']}  [{variable(setting)}{default}]",
            show_default=False,
            **options,
        )


def _option_parser(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A setting's parser for an option: its error then names the option."""

    def parse_option(text: str) -> T:
        try:
            return parse(text)
        except InvalidInput as error:
            raise typer.BadParameter(error.message) from error

    return parse_option


def _checked_priority(label: str) -> str:
    from facecli.tasks.task import Priority

    return Priority.labelled(label).label


def _not_empty(text: str) -> str:
    """Refuse an empty text: a script whose variable is empty means something else than no option."""
    if not text.strip():
        raise InvalidInput("it is empty; leave the option out, or give it a value")
    return text


time = _option_parser(parse_time)
filled = _option_parser(_not_empty)
size = _option_parser(parse_size)

Server = Annotated[str | None, SettingOption("server", metavar="HOST:PORT[,…]")]
User = Annotated[str | None, SettingOption("user", metavar="NAME")]
Tls = Annotated[bool | None, SettingOption("tls")]
TlsCa = Annotated[str | None, SettingOption("tls_ca", metavar="FILE")]
TlsCert = Annotated[str | None, SettingOption("tls_cert", metavar="FILE")]
TlsKey = Annotated[str | None, SettingOption("tls_key", metavar="FILE")]
Timeout = Annotated[float | None, SettingOption("timeout", metavar="TIME", parser=time)]
DrainTimeout = Annotated[float | None, SettingOption("drain_timeout", metavar="TIME", parser=time)]
CallTimeout = Annotated[float | None, SettingOption("call_timeout", metavar="TIME", parser=time)]
RetryFor = Annotated[float | None, SettingOption("retry_for", metavar="TIME", parser=time)]
ChunkSize = Annotated[int | None, SettingOption("chunk_size", metavar="SIZE", parser=size)]
LimitRate = Annotated[int | None, SettingOption("limit_rate", metavar="SIZE", parser=size)]
ProgressKind = Annotated[ProgressKindSetting | None, SettingOption("progress")]
DataDir = Annotated[str | None, SettingOption("data_dir", metavar="DIR")]
Blobs = Annotated[str | None, SettingOption("blobs", metavar="URL")]
Database = Annotated[str | None, SettingOption("database", metavar="URL")]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile in the config file.  [FACECLI_PROFILE]",
        autocompletion=complete_profiles,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print results and errors as JSON, one object per line.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Describe the server and every call to it on standard error.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        parser=filled,
        help="Engine to use; the server's default engine if not given.",
        autocompletion=complete_engines,
    ),
]
EngineOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="K=V",
        help="Engine option; can be repeated.",
        autocompletion=complete_engine_options,
    ),
]
Notify = Annotated[
    str | None,
    typer.Option(
        "--notify",
        metavar="URL",
        parser=filled,
        help="Webhook for the end of the task, on a host that the server allows.",
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        parser=filled,
        help="Preset in the config file: an engine and its options, which --engine and --option override.",
        show_default=False,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Make the result again instead of using that of an earlier task.")
]
PriorityOption = Annotated[
    str,
    typer.Option(
        "--priority",
        metavar="PRIORITY",
        parser=_option_parser(_checked_priority),
        help="Order among your waiting tasks: high, normal or low.",
        show_default=False,
    ),
]
_TASK_IDS = typer.Argument(
    metavar="ID…",
    help="Task IDs, their beginnings or keys; - reads them from standard input.",
    show_default=False,
    autocompletion=complete_tasks,
)
TaskIds = Annotated[list[str], _TASK_IDS]
OptionalTaskIds = Annotated[list[str] | None, _TASK_IDS]
TaskId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Task ID, its beginning or key.",
        show_default=False,
        autocompletion=complete_tasks,
    ),
]
