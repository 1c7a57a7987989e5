"""Measures operations on a full database beside the same ones on a nearly empty one."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.scale.operations import open_service, operations, quantile
from tests.support.scale.rows import Scale

RUNS = 30
SECONDS = 4.0  # after which a slow operation is not repeated
FEW_RUNS = 3


@dataclass(frozen=True, kw_only=True)
class Place:
    """A filled database with its queue."""

    url: str
    queue_url: str
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Milliseconds of one operation."""

    name: str
    empty: Sequence[float]
    full: Sequence[float]

    @property
    def line(self) -> str:
        median, p95 = (
            [1000 * quantile(times, share) for times in (self.empty, self.full)] for share in (0.5, 0.95)
        )
        ratio = median[1] / median[0]
        mark = " **" if ratio > 2 else ""
        times = " | ".join(f"{each:.2f}" for pair in zip(median, p95, strict=True) for each in pair)
        return f"| {self.name} | {times} | {ratio:.1f}{mark} |"


def measure(empty: Place, full: Place, *, wanted: str, show: Callable[[str], None]) -> None:
    """Print a table; the operations of the two databases run in turns."""
    show(f"load average {os.getloadavg()[0]:.1f}; milliseconds")
    show("| operation | empty p50 | p95 | full p50 | p95 | ratio |\n|---|---|---|---|---|---|")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facecli-scale-")))
        both = [
            operations(open_service(stack, each.url, each.scale, directory, queue_url=each.queue_url))
            for each in (empty, full)
        ]
        for (name, of_empty), (_, of_full) in zip(*both, strict=True):
            if wanted in name:
                show(_figures(name, of_empty, of_full).line)


def _figures(name: str, empty: Callable[[], object], full: Callable[[], object]) -> Figures:
    empty(), full()
    times: tuple[list[float], list[float]] = ([], [])
    began = time.monotonic()
    for run in range(RUNS):
        for operation, seconds in zip((empty, full), times, strict=True):
            started = time.perf_counter()
            operation()
            seconds.append(time.perf_counter() - started)
        if time.monotonic() - began > SECONDS and run >= FEW_RUNS:
            break
    return Figures(name=name, empty=times[0], full=times[1])
