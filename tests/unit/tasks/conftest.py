"""A workflow with a plain engine, plain media and a repository of one task."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import PartLayout
from facecli.core.errors import MediaRefused, QuotaReached, TakenOver, Unavailable
from facecli.core.events import EventBus
from facecli.core.labels.labels import BurntLabel, LabelFrames, Labels, LabelText
from facecli.core.video.engines import SwapJob
from facecli.core.video.figures import SwapFigures
from facecli.core.video.media import Segment, VideoPlan
from facecli.core.video.sheet import Comparison
from facecli.tasks.claims import Claim
from facecli.tasks.logs.record import LogEntry
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.steps.run import Tools
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.time_limits import AttemptLimits
from facecli.tasks.workflow import TaskWorkflow
from facecli.uploads.quota import Admit
from tests.support.builders import PLAN, task
from tests.support.storage import Clock
from tests.support.tasks.logs import MemoryTaskLogs

MAX_CRASHES = 5
LABELS = Labels(producer="studio", text=LabelText.CHINESE, frames=LabelFrames.OPENING)
TASK = task(id="t", engine="fake", image_id="face", video_id="clip")


Delivery = Callable[[str], Callable[[], None]]


class Rows:
    """A repository of one task, which records the stages."""

    def __init__(self) -> None:
        self.task = TASK
        self.stages: list[tuple[str, int]] = []
        self.room = True  # in the quota of the owner, for a result
        self.records: list[str] = []
        self.outages = 0  # times that a result finds the database away

    def get(self, task_id: str) -> Task:
        return self.task

    def change(
        self,
        task_id: str,
        change: Callable[[Task], Task],
        *,
        now: float,
        max_stored: int = 0,
        record: str = "",
        admit: Admit | None = None,
    ) -> Task:
        before, changed = self.task, change(self.task)
        if changed.result and self.outages:
            self.outages -= 1
            raise Unavailable("away")
        if changed.result and not self.room:
            raise QuotaReached("there is no room for the result")
        self.task = changed
        self.records += [record] * bool(record)
        if self.task != before:
            self.stages.append((self.task.stage, self.task.progress))
        return self.task


class PlainMedia:
    """Media in which a video is a text: one character a frame. `unreadable` makes contact sheets fail."""

    def __init__(self) -> None:
        self.unreadable = False
        self.signs = False
        self.metadata: Mapping[str, str] = {}  # of the last output
        self.visible: list[str] = []  # segments that got a visible label

    def version(self) -> str:
        return "1"

    def plan(self, path: Path, **more: object) -> VideoPlan:
        return PLAN

    def count_frames(self, path: Path) -> int:
        return len(path.read_text())

    def count_decodable(self, *video: object) -> int:
        return 1

    def extract_sound(self, video: Path, info: object, output: Path, **more: object) -> list[str]:
        output.write_text("")
        return ["the sound is left out"]

    def compose_sheet(
        self, info: object, comparisons: list[Comparison], output: Path, **more: object
    ) -> None:
        if self.unreadable:
            raise MediaRefused("no frame can be decoded")
        output.write_text(f"a sheet of {len(comparisons)} frames")

    @property
    def signer(self) -> Mapping[str, object] | None:
        return {"certificate_sha256": "5"} if self.signs else None

    def sign(self, video: Path, *, signed: Path, **more: object) -> None:
        signed.write_text(f"signed {video.read_text()}")

    def input_entry(self, video: Path, **more: object) -> None:
        return None

    def ensure_visible(self, segment: Path, label: BurntLabel, **more: object) -> None:
        self.visible.append(segment.name)

    def join(self, *, parts: list[Path], output: Path, metadata: Mapping[str, str], **more: object) -> None:
        self.metadata = metadata
        output.write_text("".join(part.read_text() for part in parts))


class PlainEngine:
    name, version, needs = "fake", "1", ()

    def __init__(self) -> None:
        self.swapped: list[int] = []
        self.segments: list[Segment] = []
        self.plans: list[Mapping[str, Any]] = []
        self.then: list[Callable[[], None]] = []  # happens after each segment
        self.written = "{}"
        self.figures: list[SwapFigures] = []  # of the segments, in order
        self.reports = True

    def get(self, name: str) -> "PlainEngine":
        return self

    def swap(self, swap: SwapJob, *, progress: Callable[[int], None], **more: object) -> SwapFigures | None:
        self.swapped.append(swap.segment.index)
        self.segments.append(swap.segment)
        self.plans.append(swap.plan)
        if self.reports:
            progress(swap.segment.frames)
        swap.output.write_text(self.written.format(swap.segment.index))
        if self.then:
            self.then.pop(0)()
        return self.figures[swap.segment.index] if self.figures else None


class Uploads:
    """A repository of one upload, used as face and as video."""

    def __init__(self) -> None:
        self.completed = True

    def get(self, upload_id: str) -> "Uploads":
        return self

    id, name = "clip", "clip.mp4"
    size, crc32c = 0, 0
    blob_key = "uploads/clip"


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def engine() -> PlainEngine:
    return PlainEngine()


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def logs(rows: Rows) -> MemoryTaskLogs:
    """The log of the task, fenced as in a database."""

    class Fenced(MemoryTaskLogs):
        def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
            if rows.task.status is not TaskStatus.PROCESSING:
                raise TakenOver("the task has ended")
            super().append(task_id, entries, run=run, dropped=dropped)

    return Fenced()


@pytest.fixture
def monotonic() -> Clock:
    """The clock of the log."""
    return Clock()


@pytest.fixture
def media() -> PlainMedia:
    return PlainMedia()


@pytest.fixture
def delivery(
    tmp_path: Path,
    rows: Rows,
    engine: PlainEngine,
    media: PlainMedia,
    uploads: Uploads,
    logs: MemoryTaskLogs,
    monotonic: Clock,
) -> Delivery:
    """Make a function that runs the task for a worker, once per call, under one claim."""
    blobs = LocalBlobs(tmp_path)
    blobs.begin("uploads/clip", PartLayout(part_size=1, count=1, size=None)).close()
    repository: Any = rows
    fakes: Any = {"uploads": uploads, "media": media, "labeller": media, "engines": engine}
    log = RunLog(logs, "t", run="r1", monotonic=monotonic)
    workflow = TaskWorkflow(
        Tools(tasks=TaskStore(repository, clock=time.time, events=EventBus()), blobs=blobs, **fakes),
        workspace=tmp_path / "work",
        limits=AttemptLimits(task=0, segment=0, max_crashes=MAX_CRASHES),
    )
    return lambda name: partial(workflow.run, "t", Claim(worker=name), log)


def result(tmp_path: Path, rows: Rows) -> str:
    """The text of the result, which with the contact sheet is all that is stored."""
    stored = {str(path.parent.relative_to(tmp_path)): path for path in (tmp_path / "outputs").glob("*/*/*")}
    assert rows.task.result
    assert set(stored) == {file.blob_key for file in rows.task.files}
    return stored[rows.task.result.blob_key].read_text()


def raises(error: Exception) -> None:
    raise error
