"""What a process has used."""

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Since the process began: seconds of CPU, and the most memory it held, in bytes."""

    cpu_seconds: float
    peak_memory: int


def usage() -> Usage:
    """Of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(cpu_seconds=used.ru_utime + used.ru_stime, peak_memory=_peak(used.ru_maxrss))


def _peak(most: int) -> int:
    # On Linux ru_maxrss begins with that of the process that started this one; VmHWM does not.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return most if sys.platform == "darwin" else most * 1024
