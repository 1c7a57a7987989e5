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
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from facecli.core.blobs import RETRY_AFTER
from facecli.core.checksums import crc32c_of
from facecli.core.disk import FULL, flush
from facecli.core.errors import DiskFull, StorageFailed
from facecli.core.video.media import Segment, Sound, VideoInfo, VideoPlan

RUN = "run-"  # prefix of the directories with partial files


class Checkpoints:
    """The directory of a task, as one run of it uses it."""

    def __init__(self, directory: Path, *, run: str, finishing: Callable[[], None] = lambda: None) -> None:
        """`finishing` is called before a finished checkpoint gets its final name."""
        self._directory = directory
        self._partial = directory / f"{RUN}{run}"
        self._finishing = finishing

    def prepare(self) -> None:
        """Create the directory of this run, and delete those of earlier runs."""
        with _translate_os_errors():
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
            self.delete()

    def delete(self) -> None:
        """Delete everything."""
        delete_checkpoints(self._directory)

    def plan(
        self, name: str, recipe: Mapping[str, object], make: Callable[[], VideoPlan]
    ) -> "PlanCheckpoints":
        """The checkpoints of this recipe; `make` plans the video unless the file `name` holds a plan."""
        key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
        directory = self._directory / key
        final, partial = directory / name, self._partial / name
        if not _is_intact(final):
            plan = json.dumps(asdict(make()), default=str)
            with _translate_os_errors():
                directory.mkdir(exist_ok=True)
                partial.write_text(plan)
            _commit(partial, final)
        return PlanCheckpoints(
            _decode_plan(json.loads(final.read_text())),
            directory=directory,
            partial=self._partial,
            finishing=self._finishing,
        )


class PlanCheckpoints:
    """A plan and the checkpoint files made by it."""

    def __init__(
        self, plan: VideoPlan, *, directory: Path, partial: Path, finishing: Callable[[], None]
    ) -> None:
        self.plan = plan
        self._directory = directory
        self._partial = partial
        self._finishing = finishing

    @property
    def folder(self) -> Path:
        """The directory of partial files, with what this run keeps for its later steps."""
        return self._partial

    def file(self, name: str, make: Callable[[Path], None]) -> Path:
        """The checkpoint file of this name; if it is missing, `make` writes it to the given path."""
        final = self._directory / name
        if not _is_intact(final):
            partial = self._partial / name
            make(partial)
            self._finishing()
            _commit(partial, final)
        return final

    def store(self, name: str, text: str) -> None:
        """Write a small checkpoint file, in place of an earlier one."""
        partial = self._partial / name
        with _translate_os_errors():
            partial.write_text(text)
        _commit(partial, self._directory / name)

    def stored(self, name: str) -> str:
        """The text of a file that `store` wrote; empty if there is none, or it is damaged."""
        path = self._directory / name
        return path.read_text() if _is_intact(path) else ""

    def check(self, path: Path) -> None:
        """Compare a checkpoint file with its checksum.

        StorageFailed if it is damaged: it is deleted, and the next run makes it again.
        """
        self.compare(path, _crc32c_of(path))

    def compare(self, path: Path, crc32c: int) -> None:
        """As `check`, for a file that was read just now, and has this checksum."""
        if path.parent == self._directory and crc32c != _recorded(path):
            path.unlink(missing_ok=True)
            raise StorageFailed(f"{path.name} was damaged on the disk; it is made again")


def delete_checkpoints(directory: Path) -> None:
    """Delete a directory of checkpoints, or a link to one; harmless when it does not exist."""
    if directory.is_symlink():
        directory.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def checkpoints_size(directory: Path) -> int:
    """Total bytes of all files; files deleted meanwhile do not count."""
    if directory.is_symlink():
        return 0
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total


def checkpoints_modified_at(directory: Path) -> float:
    """When a file in the directory was last changed, in seconds since 1970."""
    if directory.is_symlink():
        return directory.lstat().st_mtime
    latest = 0.0
    for path in (directory, *directory.rglob("*")):
        with suppress(FileNotFoundError):
            latest = max(latest, path.lstat().st_mtime)
    return latest


def _commit(partial: Path, final: Path) -> None:
    """Rename durably: after a power cut the final file is whole, or does not exist."""
    with _translate_os_errors():
        checksum = _checksum_file(partial)
        checksum.write_text(f"{_crc32c_of(partial):08x}")
        flush(partial)
        flush(checksum)
        checksum.replace(_checksum_file(final))
        partial.replace(final)
        flush(final.parent)


def _is_intact(path: Path) -> bool:
    """Whether a file exists and has its checksum."""
    return path.exists() and _crc32c_of(path) == _recorded(path)


def _crc32c_of(path: Path) -> int:
    with _translate_os_errors(), path.open("rb") as file:
        return crc32c_of(file)


def _recorded(path: Path) -> int | None:
    """The checksum beside a file; None if there is none."""
    try:
        return int(_checksum_file(path).read_text(), 16)
    except (FileNotFoundError, ValueError):
        return None


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.crc32c")


@contextmanager
def _translate_os_errors() -> Iterator[None]:
    """Translate OSErrors but FileNotFoundError, which means that another run deleted the directory."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(retry_after=RETRY_AFTER) from error
        raise StorageFailed(f"a checkpoint cannot be written: {error.strerror}") from error


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
