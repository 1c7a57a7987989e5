"""The plan of a batch: for each job its output, and whether it runs, is skipped or cannot run.

Everything that can be found out without a server is, before anything is sent or written.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facecli.client.batch.job import Job
from facecli.client.batch.same_files import first_of_same
from facecli.client.batch.template import output_path
from facecli.client.destination import check_directory
from facecli.client.input_file import check_order, task_input
from facecli.core.errors import FacecliError, InvalidInput
from facecli.core.printable import escaped
from facecli.core.progress import NullProgress
from facecli.uploads.upload import FileType

NAME_MAX = 255  # bytes; what usual file systems take


class Action(StrEnum):
    RUN = "run"
    SKIP = "skip"  # the output exists
    REFUSE = "refuse"  # an input is unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A job with its output. `image` and `video` are the files to upload: the first ones of their bytes."""

    job: Job
    output: Path
    shown: str  # the output as the user would name it
    action: Action
    image: Path
    video: Path
    overwrite: bool  # whether the output may be replaced, also one that another command makes meanwhile
    error: FacecliError | None = None  # why it cannot run


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Jobs in order. `files` and `bytes` are the inputs of those that run."""

    jobs: Sequence[PlannedJob]
    files: int
    bytes: int

    def count(self, action: Action) -> int:
        return sum(job.action is action for job in self.jobs)


def plan_jobs(jobs: Sequence[Job], *, root: Path, confined: bool, overwrite: bool) -> Plan:
    """Plan jobs whose outputs are relative to `root`, and with `confined` inside of it.

    InvalidInput, before anything is done, for an output that cannot be, or that two jobs have.
    """
    outputs = _outputs(jobs, root, confined=confined)
    exists = [os.path.isfile(path) and not overwrite for path in outputs]  # noqa: PTH113  (any name)
    checks = _Checks()
    errors = [
        None if skipped else _error(job, output, checks)
        for job, output, skipped in zip(jobs, outputs, exists, strict=True)
    ]
    first = _first_of_same(jobs, errors)
    planned = []
    for job, output, skipped, error in zip(jobs, outputs, exists, errors, strict=True):
        action = Action.SKIP if skipped else Action.REFUSE if error else Action.RUN
        planned.append(
            PlannedJob(
                job=job,
                output=output,
                shown=os.path.relpath(output) if _is_below(output, Path.cwd()) else str(output),
                action=action,
                image=first.get(job.face, job.face),
                video=first.get(job.video, job.video),
                overwrite=overwrite,
                error=error,
            )
        )
    inputs = {file for each in planned if each.action is Action.RUN for file in (each.image, each.video)}
    return Plan(jobs=planned, files=len(inputs), bytes=sum(map(_size, inputs)))


def _outputs(jobs: Iterable[Job], root: Path, *, confined: bool) -> list[Path]:
    """The absolute path of each output."""
    root = Path(os.path.abspath(root))  # noqa: PTH100  (keeps symlinks, as people name them)
    inputs = dict[Path, Job]()
    jobs = list(jobs)
    for job in jobs:
        inputs |= {Path(os.path.realpath(file)): job for file in (job.face, job.video)}
    owners = dict[Path, Job]()
    outputs = []
    for job in jobs:
        try:
            path = root / output_path(job)
            if confined and (".." in Path(job.output).parts or not _is_below(path, root)):
                raise InvalidInput(
                    f"output {escaped(job.output)} is outside of {root}; --output-dir names another directory"
                )
        except InvalidInput as error:
            raise InvalidInput(f"{job.name}: {error.message}") from error
        real = Path(os.path.realpath(path))
        if real in owners:
            raise InvalidInput(
                f"{owners[real].name} and {job.name} have the same output, {escaped(str(path))}; "
                "fields such as {video.stem}, {face.stem} or {number} tell results apart"
            )
        if real in inputs:
            raise InvalidInput(
                f"the output of {job.name} is an input of {inputs[real].name}: {escaped(str(path))}"
            )
        owners[real] = job
        outputs.append(path)
    return outputs


def _is_below(path: Path, root: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)


def _error(job: Job, output: Path, checks: "_Checks") -> FacecliError | None:
    if os.path.lexists(output) and not os.path.isfile(output):  # noqa: PTH113
        kind = "a directory" if output.is_dir() else "no regular file"
        return InvalidInput(f"output {escaped(str(output))} is {kind}")
    if any(len(os.fsencode(name)) > NAME_MAX for name in output.parts):
        return InvalidInput(f"output {escaped(str(output))} has a name longer than {NAME_MAX} bytes")
    error = checks.error(job.face, FileType.IMAGE) or checks.error(job.video, FileType.VIDEO)
    error = error or checks.directory_error(output)
    if error:
        try:
            check_order(job.face, job.video)
        except InvalidInput as better:
            return better
    return error


def _size(file: Path) -> int:
    """The size of a file; 0 if it has been removed, which its upload reports."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


class _Checks:
    """Checks every input and every directory of outputs once, however many jobs it has."""

    def __init__(self) -> None:
        self._errors = dict[tuple[Path, FileType], FacecliError | None]()
        self._directory_errors = dict[Path, FacecliError | None]()

    def directory_error(self, output: Path) -> FacecliError | None:
        """The error of the nearest directory above an output that exists."""
        nearest = next(parent for parent in output.parents if os.path.lexists(parent))
        if nearest not in self._directory_errors:
            self._directory_errors[nearest] = None
            try:
                check_directory(nearest, escaped(str(nearest)))
            except InvalidInput as error:
                self._directory_errors[nearest] = error
        return self._directory_errors[nearest]

    def error(self, file: Path, file_type: FileType) -> FacecliError | None:
        key = (file, file_type)
        if key not in self._errors:
            self._errors[key] = None
            try:
                task_input(file, file_type, NullProgress())
            except InvalidInput as error:
                self._errors[key] = error
        return self._errors[key]


def _first_of_same(jobs: Sequence[Job], errors: Sequence[FacecliError | None]) -> dict[Path, Path]:
    """Of all usable inputs of one kind, also of skipped jobs, the first one with the same bytes.

    So the plan of the missing jobs sends a file under the same name as the plan of all did.
    """
    usable = [job for job, error in zip(jobs, errors, strict=True) if error is None]
    faces, videos = [job.face for job in usable], [job.video for job in usable]
    return {**first_of_same(faces), **first_of_same(videos)}
