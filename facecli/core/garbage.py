"""Garbage collection: expired or orphaned data is found first, and removed in a second step.

Theory of operation. An orphan is a file that no row refers to: a crash left it, or the database is not the
one that belongs to the files, such as an older copy. A file that is younger than the newest row by less than
`ORPHAN_AGE`, or younger than that by the clock, may be such a loss. It stays until an operator decides. Every
removal is logged.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.blobs import BlobStore

ORPHAN_AGE = 3 * 86400.0  # seconds by which an orphan must be older than the newest row; spans a weekend

_log = logging.getLogger(__name__)


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
    modified_at: float  # seconds since 1970, of the last change to its files or row
    remove: Callable[[], bool]

    @property
    def orphan(self) -> bool:
        """Whether it is garbage whatever a clock shows."""
        return self.kind in {GarbageKind.BLOB, GarbageKind.WORK}


class OrphanPolicy:
    """Decides which orphans may be removed; `newest_row` is the time of the newest change, None for none."""

    def __init__(self, *, newest_row: Callable[[], float | None], clock: Callable[[], float]) -> None:
        self._newest_row = newest_row
        self.clock = clock

    def removable(self, orphans: Iterable[Garbage]) -> list[Garbage]:
        """Those of these orphans that are old enough; the others are logged and stay."""
        old, young = self.split(orphans)
        if young:
            _log.warning(
                "files unknown to the database kept; see facecli gc --dry-run",
                extra={"files": len(young), "bytes": sum(item.size for item in young)},
            )
        return old

    def split(self, orphans: Iterable[Garbage]) -> tuple[list[Garbage], list[Garbage]]:
        """Orphans that are old enough to be removed, and the others."""
        newest = self._newest_row()
        before = None if newest is None else min(newest, self.clock()) - ORPHAN_AGE
        old, young = list[Garbage](), list[Garbage]()
        for item in orphans:
            (old if before is not None and item.modified_at < before else young).append(item)
        return old, young


def remove_all(garbage: Iterable[Garbage], *, clock: Callable[[], float]) -> int:
    """Remove and log each of these; return how many were removed."""
    return sum(remove(item, now=clock()) for item in garbage)


def remove(item: Garbage, *, now: float) -> bool:
    """Remove and log an item; return whether it was removed."""
    if not item.remove():
        return False
    _log.info(
        "garbage removed",
        extra={
            "kind": item.kind.value,
            "id": item.id,
            "bytes": item.size,
            "age_seconds": round(now - item.modified_at),
            "reason": item.reason,
        },
    )
    return True


def orphan_blob(blobs: BlobStore, key: str, *, reason: str) -> Garbage:
    """A blob that no row refers to."""

    def remove() -> bool:
        blobs.delete(key)
        return True

    return Garbage(
        kind=GarbageKind.BLOB,
        id=key,
        reason=reason,
        size=size_of(blobs, [key]),
        modified_at=blobs.modified_at(key),
        remove=remove,
    )


def size_of(blobs: BlobStore, keys: Iterable[str]) -> int:
    """Bytes of those of these blobs that exist."""
    return sum(_size(blobs, key) for key in keys)


def _size(blobs: BlobStore, key: str) -> int:
    try:
        return blobs.size(key)
    except FileNotFoundError:
        return 0
