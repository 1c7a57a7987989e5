"""Amounts in rows of progress: bytes in binary units, frames, and times."""

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def bytes_text(done: int, total: int | None) -> str:
    """`112.0/256.0 MiB`, both in the unit of the larger."""
    power, unit = _unit(max(done, total or 0))
    amount = f"{done / power:.1f}" if power > 1 else str(done)
    whole = "" if total is None else f"/{total / power:.1f}" if power > 1 else f"/{total}"
    return f"{amount}{whole} {unit}"


def rate_text(bytes_per_second: float) -> str:
    power, unit = _unit(bytes_per_second)
    return f"{bytes_per_second / power:.1f} {unit}/s"


def time_text(seconds: float) -> str:
    """`0:06`, `1:02:03`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _unit(number: float) -> tuple[int, str]:
    power = 0
    while power < len(UNITS) - 1 and number >= 1024 ** (power + 1):
        power += 1
    return 1024**power, UNITS[power]
