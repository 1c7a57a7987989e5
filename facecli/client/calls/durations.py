"""Durations as text for people."""

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"))


def duration(seconds: float) -> str:
    """`10m`, `1.5h` or `4s`: the largest unit that takes at most one decimal."""
    for length, unit in _UNITS:
        if seconds >= length and seconds * 10 % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
