"""Garbage collection: expired or orphaned data is found first, and removed in a second step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.blobs import BlobStore


class GarbageKind(StrEnum):
    UPLOAD = "upload"
    TASK = "task"
    BLOB = "blob"
    WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """An upload or task that has expired by the wall clock, or an orphan: bytes that no row refers to.

    `remove` returns whether it was removed: an upload that was resumed since it was found stays.
    """

    kind: GarbageKind
    id: str  # of the upload or task; blob key or directory of an orphan
    reason: str
    size: int  # bytes on disk
    remove: Callable[[], bool]

    @property
    def orphan(self) -> bool:
        """Whether it is garbage whatever a clock shows."""
        return self.kind in {GarbageKind.BLOB, GarbageKind.WORK}


def remove_all(garbage: Iterable[Garbage]) -> int:
    """Remove each of these; return how many were removed."""
    return sum(item.remove() for item in garbage)


def orphan_blob(blobs: BlobStore, key: str, *, reason: str) -> Garbage:
    """A blob that no row refers to."""

    def remove() -> bool:
        blobs.delete(key)
        return True

    return Garbage(kind=GarbageKind.BLOB, id=key, reason=reason, size=size_of(blobs, [key]), remove=remove)


def size_of(blobs: BlobStore, keys: Iterable[str]) -> int:
    """Bytes of those of these blobs that exist."""
    return sum(_size(blobs, key) for key in keys)


def _size(blobs: BlobStore, key: str) -> int:
    try:
        return blobs.size(key)
    except FileNotFoundError:
        return 0
