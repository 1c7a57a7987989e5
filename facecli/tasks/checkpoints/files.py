"""The files of checkpoints: written aside, flushed, then renamed, each with its checksum beside it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.core.blobs import RETRY_AFTER
from facecli.core.checksums import crc32c_of
from facecli.core.disk import FULL, flush
from facecli.core.errors import DiskFull, StorageFailed
from facecli.tasks.checkpoints.shared import SharedCheckpoints


class CheckpointFiles:
    """The files made by one recipe, and the partial ones of a run."""

    def __init__(self, directory: Path, partial: Path, shared: SharedCheckpoints | None) -> None:
        self.directory = directory
        self._partial = partial
        self._shared = shared
        with translate_checkpoint_errors():
            directory.mkdir(exist_ok=True)

    def final(self, name: str) -> Path:
        return self.directory / name

    def partial(self, name: str) -> Path:
        return self._partial / name

    def has(self, name: str) -> bool:
        """Whether a finished file is here, and intact, or has been fetched from another machine."""
        if _is_intact(self.final(name)):
            return True
        if self._shared is None or not self._shared.fetch(self.directory.name, name, self.partial(name)):
            return False
        _commit(self.partial(name), self.final(name))
        return True

    def commit(self, name: str, *, shared: bool = True) -> None:
        """Give a partial file its final name."""
        checksum = _commit(self.partial(name), self.final(name))
        if self._shared and shared:
            self._shared.store(self.directory.name, name, self.final(name), checksum)


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


def _commit(partial: Path, final: Path) -> int:
    """Rename durably: after a power cut the final file is whole, or does not exist. Return its checksum."""
    with translate_checkpoint_errors():
        checksum, crc32c = _checksum_file(partial), checksum_of(partial)
        checksum.write_text(f"{crc32c:08x}")
        flush(partial)
        flush(checksum)
        checksum.replace(_checksum_file(final))
        partial.replace(final)
        flush(final.parent)
    return crc32c


def _is_intact(path: Path) -> bool:
    """Whether a file exists and has its checksum."""
    return path.exists() and checksum_of(path) == recorded_checksum(path)


def checksum_of(path: Path) -> int:
    with translate_checkpoint_errors(), path.open("rb") as file:
        return crc32c_of(file)


def recorded_checksum(path: Path) -> int | None:
    """The checksum beside a file; None if there is none."""
    try:
        return int(_checksum_file(path).read_text(), 16)
    except (FileNotFoundError, ValueError):
        return None


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.crc32c")


@contextmanager
def translate_checkpoint_errors() -> Iterator[None]:
    """Translate OSErrors but FileNotFoundError, which means that another run deleted the directory."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(retry_after=RETRY_AFTER) from error
        raise StorageFailed(f"a checkpoint cannot be written: {error.strerror}") from error
