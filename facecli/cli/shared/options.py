"""Options that several commands share."""

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar

import typer
from typer.models import OptionInfo

from facecli.config.amounts import format_default, parse_size, parse_time
from facecli.config.settings import ProgressKind as ProgressKindSetting
from facecli.config.settings import Settings, variable
from facecli.core.errors import InvalidInput

T = TypeVar("T")

_SETTINGS = {setting.name: setting for setting in fields(Settings)}


class SettingOption(OptionInfo):
    """The option of a setting: its name, its sentence, the variable that sets it as well, and the default."""

    def __init__(self, setting: str, **more: Any) -> None:
        default = f"; default: {text}" if (text := format_default(_SETTINGS[setting])) else ""
        super().__init__(
            default="--" + setting.replace("_", "-"),
            help=f"{_SETTINGS[setting].metadata['sentence']}  [{variable(setting)}{default}]",
            show_default=False,
            **more,
        )


def _told(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The parser of a setting for an option, which is then named when its value is bad."""

    def parsed(text: str) -> T:
        try:
            return parse(text)
        except InvalidInput as error:
            raise typer.BadParameter(error.message) from error

    return parsed


time = _told(parse_time)
size = _told(parse_size)

Server = Annotated[str | None, SettingOption("server", metavar="HOST:PORT[,…]")]
User = Annotated[str | None, SettingOption("user", metavar="NAME")]
Tls = Annotated[bool | None, SettingOption("tls")]
TlsCa = Annotated[str | None, SettingOption("tls_ca", metavar="FILE")]
TlsCert = Annotated[str | None, SettingOption("tls_cert", metavar="FILE")]
TlsKey = Annotated[str | None, SettingOption("tls_key", metavar="FILE")]
Timeout = Annotated[float | None, SettingOption("timeout", metavar="TIME", parser=time)]
RetryFor = Annotated[float | None, SettingOption("retry_for", metavar="TIME", parser=time)]
ChunkSize = Annotated[int | None, SettingOption("chunk_size", metavar="SIZE", parser=size)]
LimitRate = Annotated[int | None, SettingOption("limit_rate", metavar="SIZE", parser=size)]
ProgressKind = Annotated[ProgressKindSetting | None, SettingOption("progress")]
DataDir = Annotated[str | None, SettingOption("data_dir", metavar="DIR")]
Database = Annotated[str | None, SettingOption("database", metavar="URL")]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Table of the config file to take settings from.  [FACECLI_PROFILE]"
    ),
]
Limit = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="TIME", parser=time, help="End with exit code 124 then; the task goes on."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line; errors as well.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print ids or URLs only.")]
Engine = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="Engine; the server's default when not given.")
]
EngineOptions = Annotated[
    list[str] | None, typer.Option("--option", metavar="K=V", help="Option of the engine; may be repeated.")
]
TaskIds = Annotated[list[str], typer.Argument(metavar="ID…", help="Task ids.", show_default=False)]
