"""What a command is given in place of options: its settings, an open session, its output."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter
from typing import Any, Concatenate, get_args

from facecli.cli.shared.options import (
    Json,
    Profile,
    Quiet,
    Server,
    SettingOption,
    Timeout,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    User,
)
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session, connected
from facecli.config.loader import load
from facecli.config.settings import Settings

# In the order of the help.
_CONNECTION: dict[str, tuple[Any, Any]] = {
    "server": (Server, None),
    "user": (User, None),
    "tls": (Tls, None),
    "tls_ca": (TlsCa, None),
    "tls_cert": (TlsCert, None),
    "tls_key": (TlsKey, None),
    "profile": (Profile, None),
    "timeout": (Timeout, None),
    "as_json": (Json, False),
    "quiet": (Quiet, False),
}


def with_settings(command: Callable[Concatenate[Settings, ...], None]) -> Callable[..., None]:
    """Give the settings in force, with what its options and its --profile say of them."""
    _, *options = inspect.signature(command).parameters.values()

    def run(**given: Any) -> None:
        command(_settings(options, given), **given)

    return _shown(run, command, options)


def with_session(
    command: Callable[Concatenate[Session, Output, ...], None], *, user: bool = True
) -> Callable[..., None]:
    """Give an open session and the output; the options that they need stand behind the command's own.

    Those of its own that are settings count in `opened.settings`. One that has the name of the connection's,
    such as --timeout for the whole, takes its place.
    """
    _, _, *own = inspect.signature(command).parameters.values()
    names = {option.name for option in own}
    options = own + [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in _CONNECTION.items()
        if name not in names and (user or name != "user")
    ]

    def run(**given: Any) -> None:
        output = Output(as_json=given["as_json"], quiet=given["quiet"])
        with connected(_settings(options, given)) as opened:
            command(opened, output, **{name: given[name] for name in names})

    return _shown(run, command, options)


def _settings(options: list[Parameter], given: Mapping[str, Any]) -> Settings:
    flags = {option.name: given[option.name] for option in options if _sets(option)}
    return load(flags, profile=given["profile"])


def _sets(option: Parameter) -> bool:
    return any(isinstance(one, SettingOption) for one in get_args(option.annotation))


def _shown(
    run: Callable[..., None], command: Callable[..., None], options: list[Parameter]
) -> Callable[..., None]:
    """To typer, `run` is the command with these options."""
    shown = wraps(command)(run)
    shown.__annotations__ = {option.name: option.annotation for option in options}
    shown.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return shown
