"""Run: the state of one attempt at a task, shared by its steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facecli.core.blobs import BlobStore
from facecli.core.labels.labeller import Labeller
from facecli.core.video.engines import Engine, Engines
from facecli.core.video.media import Media
from facecli.tasks.checkpoints.checkpoints import Checkpoints, PlanCheckpoints
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.progress_reporter import ProgressReporter
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task
from facecli.tasks.time_limits import AttemptLimits
from facecli.uploads.repository import UploadRepository
from facecli.uploads.stored_file import StoredFile
from facecli.uploads.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The collaborators of all runs of a worker."""

    tasks: TaskStore
    uploads: UploadRepository
    blobs: BlobStore
    media: Media
    labeller: Labeller
    engines: Engines


@dataclass(slots=True, kw_only=True)
class Run:
    """One attempt at a task. The last fields are the products of its steps, unset before."""

    tools: Tools
    task: Task
    engine: Engine
    face: Path
    video: Path
    files: Mapping[str, Path]  # pictures that options of the engine name, by the option
    inputs: Sequence[StoredFile]  # the files at all of these paths
    limits: AttemptLimits
    checkpoints: Checkpoints
    reporter: ProgressReporter
    log: RunLog
    stopped: Callable[[], bool]
    prepared: Future[Mapping[str, Any]] | None = None  # by Sound: what the engine prepared meanwhile
    composed: Future[None] | None = None  # by Join: the contact sheet, which it composes meanwhile
    work: PlanCheckpoints = field(init=False)  # by Probe: the plan of the video, and its checkpoint files
    sound: Path = field(init=False)  # by Sound: its tracks, an empty file if there are none
    parts: Sequence[Path] = field(init=False)  # by Swap: the swapped segments, in order
    output: Path = field(init=False)  # by Join: the file to publish; a later step may replace it
    sheet: Path | None = None  # by Sheet: the contact sheet of the output

    def recorded_inputs(self) -> Iterator[tuple[str, Upload, Path]]:
        """Role, upload and local file of every input."""
        roles = ("face", "video", *self.files)
        return ((role, stored.upload, stored.path) for role, stored in zip(roles, self.inputs, strict=True))

    def verify_inputs(self, *, reread: bool = False) -> None:
        """StoredBytesDamaged unless the inputs are what was uploaded; see `StoredFile.verify`."""
        for stored in self.inputs:
            stored.verify(self.stopped, reread=reread)
