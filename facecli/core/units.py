"""Times, sizes, counts and switches as people write them."""

import math

from facecli.core.errors import InvalidInput

SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SWITCHES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def parse_time(text: str) -> float:
    """Seconds of `90`, `20ms`, `10m` or `1.5h`."""
    number = text.strip().rstrip("smhd")
    try:
        return _amount(number) * SECONDS[text.strip()[len(number) :]]
    except (ValueError, KeyError):
        raise InvalidInput(f"{text!r} is not a time; write 90, 10m or 1.5h") from None


def parse_size(text: str) -> int:
    """Bytes of `500MB`, `10MiB` or `4096`."""
    number = text.strip().rstrip("abgikmABGIKM ")
    try:
        return int(_amount(number) * BYTES[text.strip()[len(number) :].strip().lower()])
    except (ValueError, KeyError):
        raise InvalidInput(f"{text!r} is not a size; write 4096, 10MiB or 500MB") from None


def parse_count(text: str) -> int:
    if not text.strip().isdecimal():
        raise InvalidInput(f"{text!r} is not a whole number from 0 up")
    return int(text)


def parse_switch(text: str) -> bool:
    try:
        return _SWITCHES[text.strip().lower()]
    except KeyError:
        raise InvalidInput(f"{text!r} is neither true nor false") from None


def _amount(text: str) -> float:
    """A finite number from 0 up; ValueError otherwise."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError
    return number
