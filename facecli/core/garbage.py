"""What nobody needs any more: found as data first, removed in a second step."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.blobs import BlobStore


class LeftoverKind(StrEnum):
    UPLOAD = "upload"
    TASK = "task"
    BLOB = "blob"
    WORK = "work"


class Fate(StrEnum):
    REMOVED = "removed"
    WOULD_GO = "would go"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """An upload or a task whose time is over by the clock on the wall, or an orphan: bytes that no row knows.

    `remove` tells whether it went: what somebody has gone on with since it was found stays.
    """

    kind: LeftoverKind
    id: str  # of the upload or the task; of an orphan its blob's key or its directory
    why: str
    size: int  # bytes on disk
    remove: Callable[[], bool]

    @property
    def orphan(self) -> bool:
        """Whether it is over whatever a clock says."""
        return self.kind in {LeftoverKind.BLOB, LeftoverKind.WORK}


def removed(leftovers: Iterable[Leftover]) -> int:
    """How many of them went."""
    return sum(leftover.remove() for leftover in leftovers)


def cleared(
    leftovers: Iterable[Leftover], *, dry_run: bool, trust_clock: bool
) -> Iterator[tuple[Leftover, Fate]]:
    """Each with what becomes of it. What is over by a clock alone goes only when that clock is trusted."""
    for leftover in leftovers:
        if not (leftover.orphan or trust_clock):
            yield leftover, Fate.KEPT
        elif dry_run:
            yield leftover, Fate.WOULD_GO
        else:
            yield leftover, Fate.REMOVED if leftover.remove() else Fate.KEPT


def orphan_blob(blobs: BlobStore, key: str, *, why: str) -> Leftover:
    """A blob that no row knows."""

    def remove() -> bool:
        blobs.delete(key)
        return True

    return Leftover(kind=LeftoverKind.BLOB, id=key, why=why, size=size_of(blobs, [key]), remove=remove)


def size_of(blobs: BlobStore, keys: Iterable[str]) -> int:
    """Bytes of these blobs, of those that are there."""
    return sum(_size(blobs, key) for key in keys)


def _size(blobs: BlobStore, key: str) -> int:
    try:
        return blobs.size(key)
    except FileNotFoundError:
        return 0
