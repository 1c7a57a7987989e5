"""From what was measured to the figures that a bench reports."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.bench.upload_client import Delivered
    from facecli.bench.usage import Usage

MB = 1e6  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRun:
    """One run, all clients together; None is what cannot be seen of a foreign server.

    `resent_each_bytes` are those that left twice after each break, together `resent_bytes`.
    """

    seconds: float
    mb_per_s: float
    p50_ms: float
    p95_ms: float
    client_cpu_seconds: float
    server_cpu_seconds: float | None
    client_peak_mb: float
    server_peak_mb: float | None
    cuts: int
    retries: int
    resent_bytes: int
    resent_most_bytes: int
    resent_each_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A field of UploadRun, what people call it, and how the runs' values become one."""

    name: str
    label: str
    how: str
    joined: Callable[[Sequence[float]], float] | None


FIGURES = (
    Figure(name="mb_per_s", label="MB/s", how="median", joined=median),
    Figure(name="seconds", label="seconds", how="median", joined=median),
    Figure(name="p50_ms", label="ms to an acknowledgement, p50", how="all chunks", joined=None),
    Figure(name="p95_ms", label="ms to an acknowledgement, p95", how="all chunks", joined=None),
    Figure(name="client_cpu_seconds", label="CPU seconds, clients", how="median", joined=median),
    Figure(name="server_cpu_seconds", label="CPU seconds, server", how="median", joined=median),
    Figure(name="client_peak_mb", label="peak memory MB, a client", how="most", joined=max),
    Figure(name="server_peak_mb", label="peak memory MB, server", how="most", joined=max),
    Figure(name="cuts", label="cuts", how="sum", joined=sum),
    Figure(name="retries", label="retries", how="sum", joined=sum),
    Figure(name="resent_bytes", label="MB sent twice", how="sum", joined=sum),
    Figure(name="resent_most_bytes", label="MB sent twice after one cut", how="most", joined=max),
)
PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95}
OF_SERVER = {"server_cpu_seconds", "server_peak_mb"}


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def one_run(
    delivered: Sequence["Delivered"],
    *,
    total_bytes: int,
    server: tuple["Usage", "Usage"] | None,
    cuts: int,
) -> UploadRun:
    """`server` is what it had used before and after, where that is known."""
    seconds = max(each.seconds for each in delivered)
    every = [delay for each in delivered for delay in each.delays]
    resent = tuple(again for each in delivered for again in each.resent)
    before, after = server or (None, None)
    return UploadRun(
        seconds=round(seconds, 4),
        mb_per_s=round(total_bytes / MB / seconds, 2),
        p50_ms=_ms(every, PERCENTILES["p50_ms"]),
        p95_ms=_ms(every, PERCENTILES["p95_ms"]),
        client_cpu_seconds=round(sum(each.used.cpu_seconds for each in delivered), 3),
        server_cpu_seconds=round(after.cpu_seconds - before.cpu_seconds, 3) if before and after else None,
        client_peak_mb=round(max(each.used.peak_memory for each in delivered) / MB, 1),
        server_peak_mb=round(after.peak_memory / MB, 1) if after else None,
        cuts=cuts,
        retries=len(resent),
        resent_bytes=sum(resent),
        resent_most_bytes=max(resent, default=0),
        resent_each_bytes=resent,
    )


def figure_names(*, own_server: bool) -> list[str]:
    """Each over all runs, of the least and of the greatest run."""
    names = [figure.name for figure in FIGURES if own_server or figure.name not in OF_SERVER]
    return [name + suffix for name in names for suffix in ("", "_min", "_max")]


def figures(runs: Sequence[UploadRun], every_delay: Sequence[float]) -> dict[str, float | None]:
    """By name, the names of `figure_names`; None where nothing was seen."""
    found: dict[str, float | None] = {}
    for figure in FIGURES:
        values = [value for run in runs if (value := getattr(run, figure.name)) is not None]
        if figure.joined:
            found[figure.name] = round(figure.joined(values), 4) if values else None
        else:
            found[figure.name] = _ms(every_delay, PERCENTILES[figure.name])
        found[f"{figure.name}_min"] = min(values, default=None)
        found[f"{figure.name}_max"] = max(values, default=None)
    return found


def _ms(delays: Sequence[float], share: float) -> float:
    return round(percentile(delays, share) * 1000, 3)
