"""The bar of a batch, in every display."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.cli.batch.display import BatchDisplay
from facecli.cli.progress.bar import BatchBar
from facecli.cli.progress.bars import progress_bars
from facecli.cli.progress.rows import BatchProgress, BatchRow, RowState
from facecli.client.batch.job import Job
from facecli.client.batch.outcome import JobOutcome, JobStatus
from facecli.client.batch.plan import Action, PlannedJob
from facecli.config.settings import ProgressKind
from facecli.tasks.task import TaskStatus
from tests.support.views import task_view_in

FILE = Path("x.mp4")
JOBS = [
    PlannedJob(
        overwrite=False,
        job=Job(number=number, face=FILE, video=FILE),
        output=FILE,
        shown="x.mp4",
        action=Action.RUN,
        image=FILE,
        video=FILE,
    )
    for number in (1, 2)
]


def run(bar: BatchBar) -> None:
    """Half of one job of two, a transfer, and the end of both."""
    display = BatchDisplay(bar, total=2)
    task = replace(task_view_in(TaskStatus.PROCESSING), progress=50)
    display.changed(JOBS[0], task)
    transfer = display.transfer()
    transfer.begin("clip.mp4", 200, 0)
    transfer.stored(50)
    transfer.waiting("away", 2.0)
    transfer.verified()
    display.ended(JobOutcome(planned=JOBS[0], status=JobStatus.DONE))
    display.ended(JobOutcome(planned=JOBS[1], status=JobStatus.FAILED))


def test_a_row_counts_jobs_and_shows_what_goes_on() -> None:
    row = BatchRow()
    notes, shares = list[str](), list[float]()

    def update(progress: BatchProgress) -> None:
        row.update(progress)
        notes.append(row.text().note)
        shares.append(row.fraction)

    run(update)
    assert list(dict.fromkeys(notes)) == ["", "clip.mp4 0%", "clip.mp4 25%", "retry in 2 s: away"]
    assert shares == sorted(shares)
    assert (0.2 < shares[0] < 0.3, shares[-1]) == (True, 1.0)
    assert (row.text().name, row.state) == ("2/2 jobs, 1 failed", RowState.FAILED)


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        (
            "json",
            lambda lines: [
                (event["done"], event["failed"], event["progress"]) for event in map(json.loads, lines)
            ],
        ),
        ("tqdm", lambda lines: lines),
        ("none", lambda lines: lines),
    ],
)
def test_lines_tell_a_job_that_ends_and_every_tenth(
    kind: ProgressKind, read: Callable[[list[str]], object], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bars(kind, quiet=False) as bars:
        run(bars.batch())
    assert (
        read(capsys.readouterr().err.splitlines())
        == {
            "json": [(0, 0, 24), (1, 0, 50), (1, 1, 100)],
            "tqdm": ["20%  0/2 jobs", "50%  1/2 jobs", "100%  2/2 jobs, 1 failed"],
            "none": [],
        }[kind]
    )


def test_a_bar_that_cannot_be_drawn_is_dropped() -> None:
    drawn = list[BatchProgress]()

    def broken(progress: BatchProgress) -> None:
        drawn.append(progress)
        raise OSError

    run(broken)
    assert len(drawn) == 1
