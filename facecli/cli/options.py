"""Options that several commands share."""

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, TypeVar

import typer

from facecli import config
from facecli.config import Settings, variable
from facecli.core.amounts import parse_size, parse_time, written
from facecli.core.errors import InvalidInput

T = TypeVar("T")

_SETTINGS = {setting.name: setting for setting in fields(Settings)}


def setting_help(name: str) -> str:
    """The setting's sentence, the variable that sets it as well, and the default."""
    setting = _SETTINGS[name]
    default = f"; default: {text}" if (text := written(setting)) else ""
    return f"{setting.metadata['sentence']}  [{variable(name)}{default}]"


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

Server = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT[,…]", help=setting_help("server"), show_default=False),
]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help=setting_help("user"), show_default=False)
]
Tls = Annotated[bool | None, typer.Option("--tls", help=setting_help("tls"), show_default=False)]
TlsCa = Annotated[
    str | None, typer.Option("--tls-ca", metavar="FILE", help=setting_help("tls_ca"), show_default=False)
]
TlsCert = Annotated[
    str | None, typer.Option("--tls-cert", metavar="FILE", help=setting_help("tls_cert"), show_default=False)
]
TlsKey = Annotated[
    str | None, typer.Option("--tls-key", metavar="FILE", help=setting_help("tls_key"), show_default=False)
]
DataDir = Annotated[
    str | None, typer.Option("--data-dir", metavar="DIR", help=setting_help("data_dir"), show_default=False)
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help=setting_help("database"), show_default=False)
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Table of the config file to take settings from.  [FACECLI_PROFILE]"
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="TIME", parser=time, help=setting_help("timeout"), show_default=False),
]
Limit = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="TIME", parser=time, help="End with exit code 124 then; the task goes on."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line; errors as well.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print ids or URLs only.")]
RetryFor = Annotated[
    float | None,
    typer.Option(
        "--retry-for", metavar="TIME", parser=time, help=setting_help("retry_for"), show_default=False
    ),
]
ChunkSize = Annotated[
    int | None,
    typer.Option(
        "--chunk-size", metavar="SIZE", parser=size, help=setting_help("chunk_size"), show_default=False
    ),
]
LimitRate = Annotated[
    int | None,
    typer.Option(
        "--limit-rate", metavar="SIZE", parser=size, help=setting_help("limit_rate"), show_default=False
    ),
]
ProgressKind = Annotated[
    config.ProgressKind | None,
    typer.Option("--progress", help=setting_help("progress"), show_default=False),
]
Engine = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="Engine; the server's default when not given.")
]
EngineOptions = Annotated[
    list[str] | None, typer.Option("--option", metavar="K=V", help="Option of the engine; may be repeated.")
]
TaskIds = Annotated[list[str], typer.Argument(metavar="ID…", help="Task ids.", show_default=False)]
