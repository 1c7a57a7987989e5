"""The stages of an upload in a server: their seconds, and their share of the time of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median

from facecli.uploads.stage_times import StageTimes

LABELS = {
    "elapsed": "stream",
    "receive": "receive: waiting for the client",
    "receive_blocked": "receive: waiting for write",
    "write": "write",
    "write_cpu": "write: on a processor",
    "write_blocked": "write: waiting for flush and commit",
    "flush": "flush",
    "commit": "commit",
    "frames_queued": "frames waiting for write",
    "chunks_queued": "chunks waiting for flush and commit",
}
QUEUES = {"frames_queued", "chunks_queued"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigure:
    """Medians of all runs: the seconds of a stage, and its share of the seconds of its run.

    Of a queue, the seconds are those of everything that waited in it, so the share is its mean length.
    """

    seconds: float
    share: float


def mean_times(clients: Sequence[StageTimes | None]) -> StageTimes | None:
    """The mean of all clients; None unless the server measured each of them."""
    known = [times for times in clients if times and times.elapsed]
    if not known or len(known) < len(clients):
        return None
    return StageTimes(
        **{
            field.name: round(sum(getattr(times, field.name) for times in known) / len(known), 4)
            for field in fields(StageTimes)
        }
    )


def stage_figures(runs: Sequence[tuple[StageTimes | None, float]]) -> dict[str, StageFigure] | None:
    """By name, in the order of LABELS, of runs with their seconds; None unless the server measured each."""
    measured = [(times, seconds) for times, seconds in runs if times]
    if not measured or len(measured) < len(runs):
        return None
    return {
        name: StageFigure(
            seconds=round(median(getattr(times, name) for times, _ in measured), 4),
            share=round(median(getattr(times, name) / seconds for times, seconds in measured), 4),
        )
        for name in LABELS
    }
