"""What a task has finished, kept in its directory: the plan, the swapped segments, and the joined result.

The files are the truth: one that has its name is whole and on the disk.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from facecli.core.blobs import RETRY_AFTER
from facecli.core.disk import FULL, flush
from facecli.core.errors import DiskFull, StorageFailed
from facecli.core.media import Segment, Sound, VideoInfo, VideoPlan

RUN = "run-"  # what begins the names of directories with half files
PLAN = "plan.json"
JOINED = "joined.mp4"


class Checkpoints:
    """The directory of a task, as one run of it sees it.

    What a run is making lies in a directory of its own within, and is moved out when it is whole. What was
    made another way lies in another place: no run ever removes what a second one may be using.
    """

    def __init__(self, directory: Path, *, run: str) -> None:
        self._directory = directory
        self._own = directory / f"{RUN}{run}"

    def begin(self) -> None:
        """Clear the half files of earlier runs away. One that still runs finds that it was taken over."""
        with _on_disk():
            self._own.mkdir(parents=True, exist_ok=True)
        for half in self._directory.glob(f"{RUN}*"):
            if half != self._own:
                remove(half)

    def leave(self) -> None:
        """Clear the half files of this run away, because another has the task."""
        remove(self._own)

    def tidy(self) -> None:
        """Of an ended task: no half file stays, and nothing without a segment that a retry could use."""
        for half in self._directory.glob(f"{RUN}*"):
            remove(half)
        if not any(self._directory.glob("*/*.mp4")):
            remove(self._directory)

    def plan(self, made_with: Mapping[str, object], make: Callable[[], VideoPlan]) -> "PlanCheckpoints":
        """The plan that is kept of work made this way, or a new one."""
        recipe = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:16]
        place = self._directory / recipe
        kept, half = place / PLAN, self._own / PLAN
        if not kept.exists():
            plan = json.dumps(asdict(make()), default=str)
            with _on_disk():
                place.mkdir(exist_ok=True)
                half.write_text(plan)
            _keep(half, kept)
        return PlanCheckpoints(_plan(json.loads(kept.read_text())), place=place, own=self._own)


class PlanCheckpoints:
    """A plan, and what is finished of it."""

    def __init__(self, plan: VideoPlan, *, place: Path, own: Path) -> None:
        self.plan = plan
        self._place = place
        self._own = own

    def segment(self, segment: Segment, make: Callable[[Path], None]) -> Path:
        """The swapped segment: the kept one, or what `make` writes to the path that it is given."""
        return self._file(f"{segment.index:06}.mp4", make)

    def joined(self, make: Callable[[Path], None]) -> Path:
        return self._file(JOINED, make)

    def _file(self, name: str, make: Callable[[Path], None]) -> Path:
        kept = self._place / name
        if not kept.exists():
            half = self._own / name
            make(half)
            _keep(half, kept)
        return kept


def remove(directory: Path) -> None:
    """All that a task has kept; harmless when there is nothing."""
    shutil.rmtree(directory, ignore_errors=True)


def size(directory: Path) -> int:
    """Bytes of all that a task has kept; what goes meanwhile counts for nothing."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total


def _keep(half: Path, kept: Path) -> None:
    """After a power cut, too, the name is there with its bytes or not at all."""
    with _on_disk():
        flush(half)
        half.replace(kept)
        flush(kept.parent)


@contextmanager
def _on_disk() -> Iterator[None]:
    """FileNotFoundError flies: the directory was cleared away by another run."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(retry_after=RETRY_AFTER) from error
        raise StorageFailed(f"the work of a task cannot be kept: {error.strerror}") from error


def _plan(said: Mapping[str, Any]) -> VideoPlan:
    info = {**said["info"], "sounds": tuple(Sound(**sound) for sound in said["info"]["sounds"])}
    for name in ("rate", "start", "origin"):
        info[name] = Fraction(info[name])
    return VideoPlan(
        info=VideoInfo(**info), segments=tuple(_segment(segment) for segment in said["segments"])
    )


def _segment(said: Mapping[str, Any]) -> Segment:
    key = None if said["key"] is None else Fraction(said["key"])
    times = {name: Fraction(said[name]) for name in ("start", "end")}
    return Segment(**{**said, **times, "key": key})
