"""The resource usage of a process, and of the machine."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorTimes:
    """Times of all processors of this machine since it started, in ticks."""

    total: int
    idle: int

    def busy_since(self, before: "ProcessorTimes") -> float | None:
        """The share of the time in which they worked for any program; None if too little has passed."""
        total = self.total - before.total
        return 1 - (self.idle - before.idle) / total if total > 0 else None


def processor_times() -> ProcessorTimes:
    """All 0 on a system without /proc/stat."""
    try:
        # user, nice, system, idle, iowait, irq, softirq, steal
        ticks = [int(each) for each in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
    except OSError:
        return ProcessorTimes(total=0, idle=0)
    return ProcessorTimes(total=sum(ticks), idle=ticks[3] + ticks[4])


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
