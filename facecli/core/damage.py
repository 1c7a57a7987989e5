"""Findings of an integrity check, and the verification of stored bytes against their checksums."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from facecli.core import checksums
from facecli.core.blobs import BlobStore, Capability, Part
from facecli.core.errors import StorageFailed

BLOCK = 1024 * 1024  # bytes in memory at once


class StoredBytesDamaged(StorageFailed):
    """Stored bytes are damaged on the server's disk."""

    retryable = False


class DamageKind(StrEnum):
    UPLOAD = "upload"
    TASK = "task"
    ORPHAN = "orphan"
    DATABASE = "database"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One finding. `remedy` describes what `repair` does or, without one, what a person has to do."""

    kind: DamageKind
    id: str  # of the upload or task; key or directory of an orphan
    problem: str
    remedy: str
    repair: Callable[[], object] | None


def repair_each(damages: Iterable[Damage], *, repair: bool) -> Iterator[tuple[Damage, bool]]:
    """Each finding, and whether it has been repaired."""
    for damage in damages:
        if repair and damage.repair:
            damage.repair()
        yield damage, bool(repair and damage.repair)


class BlobVerifier:
    """Computes checksums of stored bytes; `on_bytes` gets the number of bytes that are done with."""

    def __init__(self, blobs: BlobStore, *, on_bytes: Callable[[int], None]) -> None:
        self.blobs = blobs
        self.on_bytes = on_bytes

    def size(self, key: str) -> int | None:
        """Bytes of a blob; None when there is none."""
        try:
            return self.blobs.size(key)
        except FileNotFoundError:
            return None

    def crc32c(self, key: str, *, offset: int, size: int) -> int | None:
        """Checksum of a range of a complete blob; None when it ends before, or the disk fails."""
        return self._crc32c(lambda: self.blobs.open(key, offset=offset, block=min(BLOCK, size)), size)

    def has_part(self, key: str, part: Part, crc32c: int) -> bool:
        """Whether a staged blob has this part, undamaged as far as the store can tell."""
        if Capability.READS_PARTS not in self.blobs.capabilities:
            self.on_bytes(part.size)
            return self.blobs.has_part(key, part)
        read = partial(self.blobs.read_part, key, part, block=min(BLOCK, part.size))
        return self._crc32c(read, part.size) == crc32c

    def _crc32c(self, read: Callable[[], Iterable[bytes]], size: int) -> int | None:
        checksum, left = 0, size
        try:
            for block in read():
                wanted = block[:left]
                checksum, left = checksums.crc32c(wanted, checksum), left - len(wanted)
                self.on_bytes(len(wanted))
                if not left:
                    return checksum
        except (FileNotFoundError, StorageFailed):
            pass
        self.on_bytes(left)
        return None
