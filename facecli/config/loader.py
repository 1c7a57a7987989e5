"""Settings in force: a flag wins over `FACECLI_*`, that over the profile, that over the default."""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from facecli.config.access import current_token
from facecli.config.amounts import PARSERS
from facecli.config.environment import ENVIRONMENT
from facecli.config.paths import config_file
from facecli.config.settings import PREFIX, Settings, variable
from facecli.config.text_file import read_text
from facecli.core.errors import InvalidInput

PRESETS = "preset"  # the table of presets, which is no profile
MIN_CHUNK_SIZE = 64 * 1024  # bytes; the server flushes every chunk to disk, so smaller ones are slow
MAX_CHUNK_SIZE = 16 * 1024 * 1024  # bytes; the server's limit
OPTION = "option"  # the source of a value given on the command line


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings, and the source of each that has not its usual default: `option`, a variable or a profile.

    `profile` is the name of the one in use, empty for the default one.
    """

    settings: Settings
    sources: Mapping[str, str]
    profile: str = ""


def load(
    flags: Mapping[str, Any],
    *,
    profile: str | None = None,
    environment: Mapping[str, str] = ENVIRONMENT,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Load the settings. InvalidInput names the setting and the source of its invalid value.

    A repeated flag is a list; its setting separates the values by commas. `defaults` are those of one
    command, in place of the usual ones.
    """
    return load_with_sources(flags, profile=profile, environment=environment, defaults=defaults).settings


def load_with_sources(
    flags: Mapping[str, Any],
    *,
    profile: str | None = None,
    environment: Mapping[str, str] = ENVIRONMENT,
    defaults: Mapping[str, Any] | None = None,
) -> LoadedSettings:
    """As `load`, with the source of every value."""
    chosen = profile or environment.get(f"{PREFIX}PROFILE", "")
    file = config_file(environment)
    profile_values = _profile(file, chosen)
    values: dict[str, Any] = dict(defaults or {})
    sources = dict[str, str]()
    for setting in fields(Settings):
        name = setting.name
        if flags.get(name) not in (None, []):
            values[name] = ",".join(flags[name]) if isinstance(flags[name], list) else flags[name]
            sources[name] = OPTION
        elif (text := environment.get(variable(name))) is not None:
            values[name] = _parsed(setting, text, variable(name))
            sources[name] = variable(name)
        elif name in profile_values:
            where = f"{name} in profile {chosen or 'default'} of {file}"
            sources[name] = f"profile {chosen or 'default'} of {file}"
            values[name] = _parsed(setting, scalar(profile_values[name], where), where)
    settings = Settings(**values)
    if not settings.call_timeout:
        raise InvalidInput("call_timeout must be greater than 0; write 30s")
    if not MIN_CHUNK_SIZE <= settings.chunk_size <= MAX_CHUNK_SIZE:
        raise InvalidInput("chunk_size must be between 64KiB and 16MiB; the default is 10MiB")
    current_token(settings)
    return LoadedSettings(settings=settings, sources=sources, profile=chosen)


def tables(file: Path) -> dict[str, dict[str, Any]]:
    """The tables of the config file; none if it is missing."""
    try:
        found = tomllib.loads(read_text(file))
    except FileNotFoundError:
        found = {}
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}") from error
    if stray := [key for key, value in found.items() if not isinstance(value, dict)]:
        raise InvalidInput(f"{file}: {stray[0]} is outside of a profile; put it under [default] or [NAME]")
    return found


def scalar(value: Any, where: str) -> str:
    """The text of a value that is no list or table."""
    if not isinstance(value, str | int | float):
        raise InvalidInput(f"{where} must be a string or a number")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _profile(file: Path, name: str) -> dict[str, Any]:
    """The table `[NAME]` of the config file, by default `[default]`, which may be missing."""
    profiles = {key: table for key, table in tables(file).items() if key != PRESETS}
    if name not in {"", *profiles}:
        existing = f"it has {', '.join(profiles)}" if profiles else "it has none"
        raise InvalidInput(f"profile {name} not found in {file}; {existing}")
    table: dict[str, Any] = profiles.get(name or "default", {})
    if "token" in table:
        raise InvalidInput(
            f"{file}: tokens are not allowed in the config file; use {PREFIX}TOKEN or token_file"
        )
    if unknown := sorted(set(table) - {setting.name for setting in fields(Settings)}):
        raise InvalidInput(f"{file}: unknown setting in profile {name or 'default'}: {', '.join(unknown)}")
    return table


def _parsed(setting: "Field[Any]", text: str, where: str) -> Any:
    choices = get_args(setting.type) if get_origin(setting.type) is Literal else ()
    if choices and text not in choices:
        raise InvalidInput(f"{where}: {text!r} is not one of {', '.join(choices)}")
    try:
        return text if choices else PARSERS[setting.type](text)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}") from error
