"""From what was measured to the figures that a bench reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from facecli.bench.figures import MB, Figure, milliseconds, names_of, over_runs

if TYPE_CHECKING:
    from facecli.bench.uploads.client_process import Delivered
    from facecli.bench.usage import Usage


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
        p50_ms=milliseconds(every, PERCENTILES["p50_ms"]),
        p95_ms=milliseconds(every, PERCENTILES["p95_ms"]),
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
    return names_of([figure for figure in FIGURES if own_server or figure.name not in OF_SERVER])


def figures(runs: Sequence[UploadRun], every_delay: Sequence[float]) -> dict[str, float | None]:
    """By name, the names of `figure_names`; None where nothing was seen."""
    values = {
        figure.name: [value for run in runs if (value := getattr(run, figure.name)) is not None]
        for figure in FIGURES
    }
    of_all = {name: milliseconds(every_delay, share) for name, share in PERCENTILES.items()}
    return {**over_runs(FIGURES, values), **of_all}
