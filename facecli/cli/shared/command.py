"""Decorators that give a command its settings or an open session, its output, and the options for both.

A parameter of a command whose type is a dataclass is a group of options: its fields are the options, and the
command gets an instance. So commands share options without repeating them.
"""

import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from inspect import Parameter
from typing import Annotated, Any, Concatenate, get_args

import typer

from facecli.cli.shared.no_server import NO_SERVER, lacks_server
from facecli.cli.shared.options import (
    QUIET_HELP,
    CallTimeout,
    Json,
    Profile,
    RetryFor,
    Server,
    SettingOption,
    Timeout,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    User,
    Verbose,
)
from facecli.cli.shared.output import Output
from facecli.config.loader import LoadedSettings, load_with_sources
from facecli.config.settings import LOCAL, Settings
from facecli.library.session import Session, connected

CALL_RETRY_FOR = 10.0  # seconds; for commands that neither transfer nor watch


def _option(name: str, annotation: Any, default: object = None) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


# In the order of the help.
_CONNECTION_OPTIONS = (
    _option("server", Server),
    _option("user", User),
    _option("tls", Tls),
    _option("tls_ca", TlsCa),
    _option("tls_cert", TlsCert),
    _option("tls_key", TlsKey),
    _option("profile", Profile),
    _option("retry_for", RetryFor),
    _option("timeout", Timeout),
    _option("call_timeout", CallTimeout),
    _option("as_json", Json, False),
    _option("verbose", Verbose, False),
)


def with_settings(
    command: Callable[Concatenate[Settings, Output, ...], None], *, quiet_help: str = QUIET_HELP
) -> Callable[..., None]:
    """Pass the settings and the output; --profile, --json and --quiet follow the command's own options."""

    def run(loaded: LoadedSettings, output: Output, **values: Any) -> None:
        command(loaded.settings, output, **values)

    return _with_loaded(run, command, quiet_help)


def with_loaded_settings(
    command: Callable[Concatenate[LoadedSettings, Output, ...], None], *, quiet_help: str = QUIET_HELP
) -> Callable[..., None]:
    """As `with_settings`, with the source of every setting."""
    return _with_loaded(command, command, quiet_help)


def _with_loaded(
    call: Callable[..., None], command: Callable[..., None], quiet_help: str
) -> Callable[..., None]:
    quiet = Annotated[bool, typer.Option("-q", "--quiet", help=quiet_help)]
    shared = [_option("profile", Profile), _option("as_json", Json, False), _option("quiet", quiet, False)]
    own = _own_parameters(command)
    options = _options_of(own) + shared

    def run(**values: Any) -> None:
        output = Output(as_json=values["as_json"], quiet=values["quiet"])
        call(_loaded(options, values), output, **_values_of(own, values))

    return _with_options(run, command, options)


def with_session(
    command: Callable[Concatenate[Session, Output, ...], None],
    *,
    user: bool = True,
    quiet_help: str = QUIET_HELP,
    retry_for: float = CALL_RETRY_FOR,
    run_server: bool = False,
) -> Callable[..., None]:
    """Pass an open session and the output; the connection's options follow the command's own.

    Options of the command that are settings count in `session.settings`. A command that declares --retry-for
    itself transfers or watches, for which the setting has its default; for others the default is `retry_for`
    seconds. With `run_server` a server runs for the command if none is configured and none is running, from
    the first use of the session on.
    """
    own = _own_parameters(command)
    own_options = _options_of(own)
    names = {option.name for option in own_options}
    quiet = _option("quiet", Annotated[bool, typer.Option("-q", "--quiet", help=quiet_help)], False)
    shared = [option for option in (*_CONNECTION_OPTIONS, quiet) if option.name not in names]
    options = own_options + [option for option in shared if user or option.name != "user"]
    defaults = {} if "retry_for" in names else {"retry_for": retry_for}

    def run(**values: Any) -> None:
        output = Output(as_json=values["as_json"], quiet=values["quiet"])
        loaded = _loaded(options, values, defaults)
        settings, flags = loaded.settings, _flags(values)
        lacking = run_server and lacks_server(loaded)
        if lacking:
            settings, flags = replace(settings, server=LOCAL), f"{flags} --server {LOCAL}"
        log = output.remark if values["verbose"] else None
        if log:
            log(f"server {settings.server}, from {loaded.sources.get('server', 'the default')}")

        def starting() -> None:
            if lacking:
                output.note(NO_SERVER)

        name = f"facecli {command.__name__}"
        with connected(
            settings, notify=output.note, flags=flags, log=log, starting=starting, name=name
        ) as session:
            command(session, output, **_values_of(own, values))

    return _with_options(run, command, options)


def _flags(values: Mapping[str, Any]) -> str:
    """The connection options of this command line, for the commands that it suggests; begins with a space."""
    flags = list[str]()
    for name in ("server", "user", "tls", "tls_ca", "tls_cert", "tls_key", "profile"):
        if (value := values.get(name)) is True:
            flags.append(f"--{name}")
        elif value:
            flags += [f"--{name.replace('_', '-')}", value]
    return f" {shlex.join(flags)}" if flags else ""


def _own_parameters(command: Callable[..., None]) -> list[Parameter]:
    """The command's parameters behind the two that the decorator passes."""
    return list(inspect.signature(command).parameters.values())[2:]


def _options_of(parameters: Sequence[Parameter]) -> list[Parameter]:
    """The parameters, with every group replaced by its options."""
    options = list[Parameter]()
    for parameter in parameters:
        group = parameter.annotation
        if is_dataclass(group):
            options += [
                parameter.replace(name=field.name, annotation=field.type, default=field.default)
                for field in fields(group)
            ]
        else:
            options.append(parameter)
    return options


def _values_of(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """The command's arguments, with every group made of the values of its options."""
    arguments = dict[str, Any]()
    for parameter in parameters:
        name, group = parameter.name, parameter.annotation
        if is_dataclass(group) and isinstance(group, type):
            arguments[name] = group(**{field.name: values[field.name] for field in fields(group)})
        else:
            arguments[name] = values[name]
    return arguments


def _loaded(
    options: Sequence[Parameter], values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> LoadedSettings:
    flags = {option.name: values[option.name] for option in options if _is_setting(option)}
    return load_with_sources(flags, profile=values["profile"], defaults=defaults)


def _is_setting(option: Parameter) -> bool:
    return any(isinstance(part, SettingOption) for part in get_args(option.annotation))


def _with_options(
    run: Callable[..., None], command: Callable[..., None], options: Sequence[Parameter]
) -> Callable[..., None]:
    """`run` with the signature that typer reads: the command's documentation and these options."""
    decorated = wraps(command)(run)
    decorated.__annotations__ = {option.name: option.annotation for option in options}
    decorated.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return decorated
