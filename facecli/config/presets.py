"""Presets in the config file: `[preset.NAME]` with an engine and its options."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from facecli.config.environment import ENVIRONMENT
from facecli.config.loader import PRESETS, scalar, tables
from facecli.config.paths import config_file
from facecli.core.errors import InvalidInput

_FIELDS = {"engine", "options"}


class Preset(NamedTuple):
    """A named choice of an engine and its options."""

    engine: str
    options: Mapping[str, str]


def preset(name: str, environment: Mapping[str, str] = ENVIRONMENT) -> Preset:
    """The preset of this name; InvalidInput if it does not exist or has other fields."""
    file = config_file(environment)
    presets = tables(file).get(PRESETS, {})
    if name not in presets:
        existing = f"it has {', '.join(presets)}" if presets else f"write it as [{PRESETS}.{name}]"
        raise InvalidInput(f"preset {name} not found in {file}; {existing}")
    where = f"preset {name} of {file}"
    fields: Any = presets[name]
    if not isinstance(fields, dict):
        raise InvalidInput(f"{where} must be a table with engine and options")
    if unknown := sorted(set(fields) - _FIELDS):
        raise InvalidInput(f"{where}: unknown field {unknown[0]}; it has engine and options")
    options = fields.get("options", {})
    if not isinstance(options, dict):
        raise InvalidInput(f"{where}: options must be a table of names and values")
    return Preset(
        engine=scalar(fields.get("engine", ""), f"engine in {where}"),
        options={key: scalar(value, f"option {key} in {where}") for key, value in options.items()},
    )
