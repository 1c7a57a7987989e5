"""The resource usage of a process."""

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU seconds and peak memory in bytes, since the process started."""

    cpu_seconds: float
    peak_memory: int


def usage() -> Usage:
    """The usage of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(cpu_seconds=used.ru_utime + used.ru_stime, peak_memory=_peak_memory(used.ru_maxrss))


def _peak_memory(max_rss: int) -> int:
    # On Linux ru_maxrss starts with the value of the parent process; VmHWM does not.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return max_rss if sys.platform == "darwin" else max_rss * 1024
