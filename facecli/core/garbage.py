"""What nobody needs any more: found as data first, removed in a second step."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.blobs import BlobStore


class GarbageKind(StrEnum):
    UPLOAD = "upload"
    TASK = "task"
    BLOB = "blob"
    WORK = "work"


class Action(StrEnum):
    REMOVED = "removed"
    WOULD_GO = "would go"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """An upload or a task whose time is over by the clock on the wall, or an orphan: bytes that no row knows.

    `remove` tells whether it went: what somebody has gone on with since it was found stays.
    """

    kind: GarbageKind
    id: str  # of the upload or the task; of an orphan its blob's key or its directory
    reason: str
    size: int  # bytes on disk
    remove: Callable[[], bool]

    @property
    def orphan(self) -> bool:
        """Whether it is over whatever a clock says."""
        return self.kind in {GarbageKind.BLOB, GarbageKind.WORK}


def removed(garbage: Iterable[Garbage]) -> int:
    """How many of them went."""
    return sum(item.remove() for item in garbage)


def collect(
    garbage: Iterable[Garbage], *, dry_run: bool, trust_clock: bool
) -> Iterator[tuple[Garbage, Action]]:
    """Each with what becomes of it. What is over by a clock alone goes only when that clock is trusted."""
    for item in garbage:
        if not (item.orphan or trust_clock):
            yield item, Action.KEPT
        elif dry_run:
            yield item, Action.WOULD_GO
        else:
            yield item, Action.REMOVED if item.remove() else Action.KEPT


def orphan_blob(blobs: BlobStore, key: str, *, reason: str) -> Garbage:
    """A blob that no row knows."""

    def remove() -> bool:
        blobs.delete(key)
        return True

    return Garbage(kind=GarbageKind.BLOB, id=key, reason=reason, size=size_of(blobs, [key]), remove=remove)


def size_of(blobs: BlobStore, keys: Iterable[str]) -> int:
    """Bytes of these blobs, of those that are there."""
    return sum(_size(blobs, key) for key in keys)


def _size(blobs: BlobStore, key: str) -> int:
    try:
        return blobs.size(key)
    except FileNotFoundError:
        return 0
