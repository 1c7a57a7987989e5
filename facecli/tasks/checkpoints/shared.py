"""Copies of a task's checkpoints in the blob store, from which a worker of another machine goes on.

Theory of operation. The checksum of a checkpoint is part of its key, so a copy is visible with it or not at
all. A copy that cannot be stored, or read, costs only work that is done again: it fails no task.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

from facecli.core.blobs import BlobStore, Capability
from facecli.core.checksums import BLOCK, crc32c
from facecli.core.errors import FacecliError

PREFIX = "work"

_log = logging.getLogger(__name__)


class SharedCheckpoints:
    """The copies of one task. A store with local files has none: the checkpoints lie beside its blobs."""

    def __init__(self, blobs: BlobStore, task_id: str) -> None:
        self._blobs = None if Capability.LOCAL_FILES in blobs.capabilities else blobs
        self._task = f"{PREFIX}/{task_id}"
        self._keys: dict[str, dict[str, str]] = {}  # by recipe and name

    def fetch(self, recipe: str, name: str, path: Path) -> bool:
        """Write the copy of a checkpoint to a path; False if there is none, or it is damaged."""
        if self._blobs is None:
            return False
        try:
            key = self._known(self._blobs, recipe).get(name)
            return bool(key) and self._written(self._blobs, str(key), path)
        except (FacecliError, FileNotFoundError) as error:
            _log.warning("copy of a checkpoint not read", extra={"file": name, "error": str(error)})
            return False

    def store(self, recipe: str, name: str, path: Path, checksum: int) -> None:
        """Store a copy of a finished checkpoint, in place of an earlier one."""
        if self._blobs is None:
            return
        key, copy = f"{self._task}/{recipe}/{name}.{checksum:08x}", path.with_name(f"{path.name}.copy")
        try:
            known = self._known(self._blobs, recipe)
            before = known.get(name)
            copy.unlink(missing_ok=True)
            os.link(path, copy)  # `put` moves it
            self._blobs.put(key, copy)
            known[name] = key
            if before and before != key:
                self._blobs.delete(before)
        except (FacecliError, OSError) as error:
            _log.warning("copy of a checkpoint not stored", extra={"file": name, "error": str(error)})
            with suppress(OSError):
                copy.unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete all copies; what remains after a failure is garbage that is collected later."""
        if self._blobs is None:
            return
        try:
            self._blobs.delete(self._task)
        except FacecliError as error:
            _log.warning("copies of checkpoints not deleted", extra={"error": error.message})

    def _known(self, blobs: BlobStore, recipe: str) -> dict[str, str]:
        """The keys of the copies made by a recipe, by name; listed once."""
        if recipe not in self._keys:
            keys = blobs.list(f"{self._task}/{recipe}")
            self._keys[recipe] = {key.rpartition("/")[2].rpartition(".")[0]: key for key in keys}
        return self._keys[recipe]

    def _written(self, blobs: BlobStore, key: str, path: Path) -> bool:
        checksum = 0
        with path.open("wb") as file:
            for block in blobs.open(key, offset=0, block=BLOCK):
                checksum = crc32c(block, checksum)
                file.write(block)
        return f"{checksum:08x}" == key.rpartition(".")[2]
