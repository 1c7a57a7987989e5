"""Checkpoints of a task: the files of its finished steps.

Theory of operation. A checkpoint is a file, and its name is the commit: it is written under the run's own
directory, flushed, then renamed into place, so a file that has its final name is whole and durable. Finished
files are grouped by recipe, a hash of everything that shapes them (inputs, options, versions), so segments
made in different ways are never joined. A run deletes the partial files of earlier runs when it starts; if
one of those still runs, its next rename fails with FileNotFoundError, and it stops. Beside each file lies its
checksum, renamed into place before it. A file is compared with it before it is used again, joined or
published; one that differs, or has none, was damaged on the disk: it is deleted and made again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from facecli.core.errors import StorageFailed
from facecli.core.video.media import Segment, Sound, VideoInfo, VideoPlan
from facecli.tasks.checkpoints.files import (
    CheckpointFiles,
    checksum_of,
    delete_checkpoints,
    recorded_checksum,
    translate_checkpoint_errors,
)
from facecli.tasks.checkpoints.shared import SharedCheckpoints

RUN = "run-"  # prefix of the directories with partial files


class Checkpoints:
    """The directory of a task, as one run of it uses it."""

    def __init__(
        self,
        directory: Path,
        *,
        run: str,
        finishing: Callable[[], None] = lambda: None,
        shared: SharedCheckpoints | None = None,
    ) -> None:
        """`finishing` is called before a finished checkpoint gets its final name."""
        self._directory = directory
        self._shared = shared
        self._partial = directory / f"{RUN}{run}"
        self._finishing = finishing

    def prepare(self) -> None:
        """Create the directory of this run, and delete those of earlier runs."""
        with translate_checkpoint_errors():
            self._partial.mkdir(parents=True, exist_ok=True)
        for partial in self._directory.glob(f"{RUN}*"):
            if partial != self._partial:
                delete_checkpoints(partial)

    def discard_partial(self) -> None:
        """Delete the partial files of this run."""
        delete_checkpoints(self._partial)

    def trim(self) -> None:
        """Delete all partial files of an ended task; keep finished segments, from which a retry continues."""
        for partial in self._directory.glob(f"{RUN}*"):
            delete_checkpoints(partial)
        if not any(self._directory.glob("*/[0-9]*.mp4")):
            delete_checkpoints(self._directory)

    def delete(self) -> None:
        """Delete everything, also for workers of other machines."""
        delete_checkpoints(self._directory)
        if self._shared:
            self._shared.delete()

    def plan(
        self, name: str, recipe: Mapping[str, object], make: Callable[[], VideoPlan]
    ) -> "PlanCheckpoints":
        """The checkpoints of this recipe; `make` plans the video unless the file `name` holds a plan."""
        key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
        files = CheckpointFiles(self._directory / key, self._partial, self._shared)
        if not files.has(name):
            plan = json.dumps(asdict(make()), default=str)
            with translate_checkpoint_errors():
                files.partial(name).write_text(plan)
            files.commit(name)
        text = files.final(name).read_text()
        return PlanCheckpoints(_decode_plan(json.loads(text)), files, finishing=self._finishing)


class PlanCheckpoints:
    """A plan and the checkpoint files made by it."""

    def __init__(self, plan: VideoPlan, files: CheckpointFiles, *, finishing: Callable[[], None]) -> None:
        self.plan = plan
        self._files = files
        self._finishing = finishing

    @property
    def folder(self) -> Path:
        """The directory of partial files, with what this run keeps for its later steps."""
        return self._files.partial("")

    def has(self, name: str) -> bool:
        """Whether a checkpoint file is finished."""
        return self._files.has(name)

    def file(self, name: str, make: Callable[[Path], None], *, shared: bool = True) -> Path:
        """The checkpoint file of this name; if it is missing, `make` writes it to the given path.

        One that is quickly made from others need not be `shared` with the workers of other machines.
        """
        if not self._files.has(name):
            make(self._files.partial(name))
            self._finishing()
            self._files.commit(name, shared=shared)
        return self._files.final(name)

    def store(self, name: str, text: str) -> None:
        """Write a small checkpoint file, in place of an earlier one."""
        with translate_checkpoint_errors():
            self._files.partial(name).write_text(text)
        self._files.commit(name)

    def stored(self, name: str) -> str:
        """The text of a file that `store` wrote; empty if there is none, or it is damaged."""
        return self._files.final(name).read_text() if self._files.has(name) else ""

    def check(self, path: Path) -> None:
        """Compare a checkpoint file with its checksum.

        StorageFailed if it is damaged: it is deleted, and the next run makes it again.
        """
        self.compare(path, checksum_of(path))

    def compare(self, path: Path, crc32c: int) -> None:
        """As `check`, for a file that was read just now, and has this checksum."""
        if path.parent == self._files.directory and crc32c != recorded_checksum(path):
            path.unlink(missing_ok=True)
            raise StorageFailed(f"{path.name} was damaged on the disk; it is made again")


def _decode_plan(values: Mapping[str, Any]) -> VideoPlan:
    info = {**values["info"], "sounds": tuple(Sound(**sound) for sound in values["info"]["sounds"])}
    for name in ("rate", "start", "last", "origin"):
        info[name] = Fraction(info[name])
    segments = tuple(_decode_segment(segment) for segment in values["segments"])
    return VideoPlan(
        info=VideoInfo(**info),
        segments=segments,
        last=Fraction(values["last"]),
        stills=tuple(_decode_segment(still) for still in values["stills"]),
    )


def _decode_segment(values: Mapping[str, Any]) -> Segment:
    key = None if values["key"] is None else Fraction(values["key"])
    times = {name: Fraction(values[name]) for name in ("start", "end")}
    wide = None if values["wide"] is None else _decode_segment(values["wide"])
    return Segment(**{**values, **times, "key": key, "wide": wide})
