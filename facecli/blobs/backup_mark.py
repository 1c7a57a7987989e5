"""The time of the last successful backup, kept in the data directory for the server's metrics."""

from pathlib import Path

FILE = "last-backup"


def record_backup(directory: Path, at: float) -> None:
    """Record that a backup began at this time and succeeded."""
    (directory / FILE).write_text(f"{at:.0f}\n")


def last_backup(directory: Path) -> float | None:
    """Seconds since 1970; None if there was no backup, or the record cannot be read."""
    try:
        return float((directory / FILE).read_text()[:32])
    except (OSError, ValueError):
        return None
