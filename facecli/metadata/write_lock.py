"""The holder of the write lock of an SQLite file in WAL mode, as the kernel knows it."""

from pathlib import Path

WRITE_LOCK = 120  # byte of the -shm file: https://www.sqlite.org/walformat.html#wal_locks
_LOCKS = Path("/proc/locks")  # its format: https://man7.org/linux/man-pages/man5/proc_locks.5.html


def write_lock_holder(file: Path) -> int | None:
    """The id of the process that holds the lock; None if there is none, or the system does not tell."""
    try:
        inode = file.with_name(f"{file.name}-shm").stat().st_ino
        locks = [line.split() for line in _LOCKS.read_text().splitlines()]
    except OSError:
        return None
    for _, kind, _, access, pid, place, first, *_ in filter(lambda lock: len(lock) == 8, locks):
        if (kind, access, first) == ("POSIX", "WRITE", str(WRITE_LOCK)) and place.endswith(f":{inode}"):
            return int(pid)
    return None
