"""What is wrong with a thing that is kept, what puts it right, and the reading that finds out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from facecli.core import checksums
from facecli.core.blobs import BlobStore
from facecli.core.errors import StorageFailed

BLOCK = 1024 * 1024  # bytes in memory at once


class DamageKind(StrEnum):
    UPLOAD = "upload"
    TASK = "task"
    ORPHAN = "orphan"
    DATABASE = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """`remedy` is what `repair` does or, without one, what is left to a person."""

    kind: DamageKind
    id: str  # of the upload or the task; an orphan's key or directory
    problem: str
    remedy: str
    repair: Callable[[], object] | None


def mended(damages: Iterable[Damage], *, repair: bool) -> Iterator[tuple[Damage, bool]]:
    """Each with whether it is repaired now."""
    for damage in damages:
        if repair and damage.repair:
            damage.repair()
        yield damage, bool(repair and damage.repair)


class BlobVerifier:
    """Reads blobs again, a block at a time; `on_bytes` is told of the bytes that need no more reading."""

    def __init__(self, blobs: BlobStore, *, on_bytes: Callable[[int], None]) -> None:
        self.blobs = blobs
        self.on_bytes = on_bytes

    def size(self, key: str) -> int | None:
        """None when there is no such blob."""
        try:
            return self.blobs.size(key)
        except FileNotFoundError:
            return None

    def crc32c(self, key: str, *, offset: int, size: int) -> int | None:
        """Of these bytes; None when the blob ends before, or the disk does not give them."""
        found, left = 0, size
        try:
            for block in self.blobs.read(key, offset=offset, block=min(BLOCK, size)):
                wanted = block[:left]
                found, left = checksums.crc32c(wanted, found), left - len(wanted)
                self.on_bytes(len(wanted))
                if not left:
                    return found
        except (FileNotFoundError, StorageFailed):
            pass
        self.on_bytes(left)
        return None
