"""Run: the record of one attempt at a task, which its steps share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facecli.core.blobs import BlobStore
from facecli.core.engines import Engine, Engines
from facecli.core.media import Media
from facecli.tasks.checkpoints import Checkpoints, PlanCheckpoints
from facecli.tasks.reporter import ProgressReporter
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task
from facecli.tasks.time_limits import AttemptLimits
from facecli.uploads.repository import UploadRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The collaborators of all runs of a worker."""

    tasks: TaskStore
    uploads: UploadRepository
    blobs: BlobStore
    media: Media
    engines: Engines


@dataclass(slots=True, kw_only=True)
class Run:
    """One attempt at a task. The fields at the end are the products of its steps, each set by one of them."""

    tools: Tools
    task: Task
    engine: Engine
    face: Path
    video: Path
    limits: AttemptLimits
    checkpoints: Checkpoints
    reporter: ProgressReporter
    stopped: Callable[[], bool]
    work: PlanCheckpoints = field(init=False)  # the plan of the video, and the files finished so far
    parts: Sequence[Path] = field(init=False)  # the swapped segments, in order
    output: Path = field(init=False)  # the file to publish
