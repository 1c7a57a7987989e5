"""Parsing and formatting of sizes, times, counts and switches."""

import math
import re
from collections.abc import Callable
from dataclasses import Field
from typing import Annotated, Any

from facecli.core.errors import InvalidInput

Size = Annotated[int, "bytes"]
Count = Annotated[int, "count"]
Time = Annotated[float, "seconds"]


def parse_time(text: str) -> float:
    """Seconds of `90`, `20ms`, `1m30s` or `1.5h`."""
    parts = _COMPOUND.split(text.strip()) if _COMPOUND.search(text) else [text.strip()]
    try:
        return sum(_seconds(part) for part in parts)
    except (ValueError, KeyError):
        raise InvalidInput(f"{text!r} is not a time; write 90, 1m30s or 1.5h") from None


def parse_size(text: str) -> int:
    """Bytes of `500MB`, `10MiB` or `4096`."""
    number = text.strip().rstrip("abgikmABGIKM ")
    try:
        return int(_amount(number) * _UNITS[text.strip()[len(number) :].strip().lower()])
    except (ValueError, KeyError):
        raise InvalidInput(f"{text!r} is not a size; write 4096, 10MiB or 500MB") from None


def parse_count(text: str) -> int:
    number = text.strip()
    if not number.isdecimal():
        raise InvalidInput(f"{text!r} is not a non-negative integer")
    return int(number)


def parse_switch(text: str) -> bool:
    try:
        return _SWITCHES[text.strip().lower()]
    except KeyError:
        raise InvalidInput(f"{text!r} is neither true nor false") from None


def format_default(setting: "Field[Any]") -> str:
    """A setting's default in the syntax of the parsers: `10MiB`, `10m`, `true`; empty if it has none."""
    return format_value(setting, setting.default)


def format_value(setting: "Field[Any]", value: Any) -> str:
    """A setting's value in the syntax of the parsers."""
    if setting.type is bool:
        return str(value).lower()
    if setting.type is Time and value:
        unit = next((unit for unit in "dhms" if value % _SECONDS[unit] == 0), "s")
        return f"{value / _SECONDS[unit]:g}{unit}"
    if setting.type is Size and value:
        unit = next(unit for unit in ("GiB", "MiB", "KiB", "") if value % _UNITS[unit.lower()] == 0)
        return f"{value // _UNITS[unit.lower()]}{unit}"
    return f"{value:g}" if setting.type is Time else str(value)


_COMPOUND = re.compile(r"(?<=[a-z])(?=[0-9])")  # between a unit and the next number
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SWITCHES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: parse_switch,
    Size: parse_size,
    Count: parse_count,
    Time: parse_time,
}


def _seconds(text: str) -> float:
    """A number with a unit; ValueError or KeyError otherwise."""
    number = text.rstrip("smhd")
    return _amount(number) * _SECONDS[text[len(number) :]]


def _amount(text: str) -> float:
    """A finite, non-negative number; ValueError otherwise."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError
    return number
