"""The figures of `bench upload`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from facecli.bench.figures import MB, Figure, aggregate, milliseconds, value_names
from facecli.bench.uploads.stages import mean_times

if TYPE_CHECKING:
    from facecli.bench.plain_transfer import PlainResult
    from facecli.bench.uploads.messages import ClientResult
    from facecli.bench.usage import Usage
    from facecli.uploads.stage_times import StageTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRun:
    """One run of all clients; the values of an external server are None.

    `resent_each_bytes` has the bytes sent again after each break; their sum is `resent_bytes`. `ratio` is
    `seconds` divided by `plain_seconds`, the time of the plain transfer before the run; both are None without
    one, and `disk_mb_per_s` is None for a server that does not flush, too. `machine_busy` is the share of all
    processors' time, other programs included. `stages` are those of the mean client in the server; None if
    the server does not measure them.
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
    plain_seconds: float | None = None
    ratio: float | None = None
    disk_mb_per_s: float | None = None
    machine_busy: float | None = None
    stages: "StageTimes | None" = None


FIGURES = (
    Figure(name="mb_per_s", label="MB/s", aggregate="median", join=median),
    Figure(name="seconds", label="seconds", aggregate="median", join=median),
    Figure(name="ratio", label="seconds / plain TCP", aggregate="of medians", join=None),
    Figure(name="plain_seconds", label="plain TCP, seconds", aggregate="median", join=median),
    Figure(name="disk_mb_per_s", label="the disk alone, MB/s", aggregate="median", join=median),
    Figure(name="p50_ms", label="acknowledgement, p50 ms", aggregate="all chunks", join=None),
    Figure(name="p95_ms", label="acknowledgement, p95 ms", aggregate="all chunks", join=None),
    Figure(name="client_cpu_seconds", label="CPU seconds, clients", aggregate="median", join=median),
    Figure(name="server_cpu_seconds", label="CPU seconds, server", aggregate="median", join=median),
    Figure(name="client_peak_mb", label="peak memory MB, client", aggregate="max", join=max),
    Figure(name="server_peak_mb", label="peak memory MB, server", aggregate="max", join=max),
    Figure(name="cuts", label="cuts", aggregate="sum", join=sum),
    Figure(name="retries", label="retries", aggregate="sum", join=sum),
    Figure(name="resent_bytes", label="MB sent again", aggregate="sum", join=sum),
    Figure(name="resent_most_bytes", label="MB sent again after one cut", aggregate="max", join=max),
)
PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95}
SERVER_FIGURES = {"server_cpu_seconds", "server_peak_mb"}
PLAIN_FIGURES = {"ratio", "plain_seconds", "disk_mb_per_s"}


def one_run(
    results: Sequence["ClientResult"],
    *,
    total_bytes: int,
    server: tuple["Usage", "Usage"] | None,
    cuts: int,
    plain: "PlainResult | None" = None,
    machine_busy: float | None = None,
) -> UploadRun:
    """Combine the clients' results; `server` has the server's usage before and after, if it is known."""
    seconds = max(each.seconds for each in results)
    delays = [delay for each in results for delay in each.delays]
    resent = tuple(again for each in results for again in each.resent)
    before, after = server or (None, None)
    return UploadRun(
        seconds=round(seconds, 4),
        mb_per_s=round(total_bytes / MB / seconds, 2),
        p50_ms=milliseconds(delays, PERCENTILES["p50_ms"]),
        p95_ms=milliseconds(delays, PERCENTILES["p95_ms"]),
        client_cpu_seconds=round(sum(each.used.cpu_seconds for each in results), 3),
        server_cpu_seconds=round(after.cpu_seconds - before.cpu_seconds, 3) if before and after else None,
        client_peak_mb=round(max(each.used.peak_memory for each in results) / MB, 1),
        server_peak_mb=round(after.peak_memory / MB, 1) if after else None,
        cuts=cuts,
        retries=len(resent),
        resent_bytes=sum(resent),
        resent_most_bytes=max(resent, default=0),
        resent_each_bytes=resent,
        plain_seconds=round(plain.seconds, 4) if plain else None,
        ratio=round(seconds / plain.seconds, 4) if plain else None,
        disk_mb_per_s=round(plain.disk_rate / MB, 1) if plain and plain.disk_rate else None,
        machine_busy=None if machine_busy is None else round(machine_busy, 4),
        stages=mean_times([each.stages for each in results]),
    )


def figure_names(*, own_server: bool, plain: bool) -> list[str]:
    """The names of what is measured on a server of our own or not, with plain transfers or without."""
    unknown = (set() if own_server else SERVER_FIGURES) | (set() if plain else PLAIN_FIGURES)
    return value_names([figure for figure in FIGURES if figure.name not in unknown])


def figures(runs: Sequence[UploadRun], delays: Sequence[float]) -> dict[str, float | None]:
    """The figures of all runs, by the names of `figure_names`; None where nothing was measured."""
    values = {
        figure.name: [value for run in runs if (value := getattr(run, figure.name)) is not None]
        for figure in FIGURES
    }
    percentiles = {name: milliseconds(delays, share) for name, share in PERCENTILES.items()}
    return {**aggregate(FIGURES, values), **percentiles, "ratio": _ratio(values)}


def _ratio(values: Mapping[str, Sequence[float]]) -> float | None:
    """The ratio of the medians: on a busy machine it varied by 11 %, and the median of the ratios by 34 %."""
    if not values["plain_seconds"]:
        return None
    return round(median(values["seconds"]) / median(values["plain_seconds"]), 4)
