"""The blob store contract: blobs are assembled from parts, or put whole.

Theory of operation. `begin` opens a `StagedBlob`. Every part is written through a `PartWriter`; `finish`
names the part by a token that only the store understands, and `sync` makes finished parts durable. The
caller commits the tokens to its database, then `complete` turns the parts of given tokens into the blob.

Rewriting a part never overwrites its committed version: it gets new space and a new token, and the
database of the caller records which token is current. Acknowledged bytes are therefore never overwritten.
Once the new token is committed, the space of the version before is freed. A process that resumes a staged
blob needs nothing but the tokens: bytes that none of them names are freed, whatever a crash has left.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from facecli.core.errors import BytesDiffer

UNLIMITED = 2**60  # bytes
RETRY_AFTER = 30  # seconds; a person has to free space on a full disk


class Capability(Enum):
    """Abilities that not every store has."""

    RESERVES_SPACE = auto()  # `begin` reserves a known size of several parts, or raises DiskFull
    LOCAL_FILES = auto()  # `local_copy` returns the blob's own file and copies nothing
    READS_PARTS = auto()  # `read_part` works; without it, `has_part` compares more than the size
    COMPLETES_IN_PLACE = auto()  # `complete` changes nothing that a staged blob with these parts has not
    FREES_PARTS = auto()  # `resume` frees the bytes that no token names


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLayout:
    """The division of a blob into parts: all have `part_size` bytes, only the last may be shorter."""

    part_size: int
    count: int
    size: int | None  # of the blob, in bytes; None while unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished part by its token, and its size in bytes."""

    token: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLimits:
    """The least bytes of a part that is not the last, and the most parts of a blob; 0 for any."""

    min_size: int = 0
    max_count: int = 0


class PartWriter(Protocol):
    """One part being written, by one thread at a time."""

    @property
    def token(self) -> str | None:
        """The token that `finish` returned; None before."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`, now or later: it must not change. DiskFull, FileTooLarge or StorageFailed."""
        ...

    def reserve(self) -> None:
        """Wait until `finish` waits for nothing. Another thread that ends the part ends the wait."""
        ...

    def finish(self) -> str | None:
        """The token of the part, durable after its next `sync`; None if the part or blob ended meanwhile."""
        ...

    @property
    def sending(self) -> "Future[None] | None":
        """Ends when a `sync` of the finished part would not wait, or with the part; None if none waits."""
        ...

    def commit(self) -> None:
        """Keep the finished part: the caller's database refers to its token. Frees the part it replaces."""
        ...

    def abort(self) -> None:
        """Discard the part, finished or not, and free its space."""
        ...

    def abandon(self) -> None:
        """Stop writing, and keep the space: the caller's database may refer to the part, or not."""
        ...


class StagedBlob(Protocol):
    """A blob under assembly. Safe to use from many threads."""

    @property
    def doubtful(self) -> bool:
        """Whether committed parts may be lost: the caller checks each with `has_part` or `read_part`."""
        ...

    def part(self, index: int, *, replaces: str | None) -> PartWriter:
        """Begin a part. `replaces` is the token that counts for this index so far: its bytes stay."""
        ...

    def sync(self, tokens: Collection[str]) -> None:
        """Make these finished parts durable, and maybe others. StorageFailed: what was not, may be lost."""
        ...

    def in_order(self, parts: Sequence[Part]) -> bool:
        """Whether `complete` would keep these parts where they are.

        Then it may be called before the caller commits: a crash in between loses nothing. Never without
        COMPLETES_IN_PLACE: then the caller commits all parts, completes the blob, and commits that.
        """
        ...

    def rearrange(self, parts: Sequence[Part]) -> Mapping[int, str]:
        """Copy some parts to where `complete` needs them, durably; return their new tokens by index.

        Empty when the parts are in order. The caller commits the new tokens, frees the old ones with
        `release`, and calls again. Parts that are still being written are revoked: they finish without a
        token.
        """
        ...

    def release(self, tokens: Sequence[str]) -> None:
        """Free the space of parts to which the caller's database no longer refers."""
        ...

    def complete(self, parts: Sequence[Part]) -> None:
        """Turn parts that are in order into the blob, durably; revokes parts that are being written.

        Idempotent: a caller that crashed before it committed the completion calls again.
        """
        ...

    def discard(self) -> None:
        """Free all bytes of a deleted blob, even while writers have it open."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class BlobStore(Protocol):
    """Blobs by key (`uploads/<id>`, `outputs/<id>/<run>`); InvalidInput for anything else."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def part_limits(self) -> PartLimits: ...

    def begin(self, key: str, layout: PartLayout) -> StagedBlob:
        """Stage a new blob, durable with its first sync; DiskFull without space for all of it.

        StorageFailed when the key is taken.
        """
        ...

    def resume(self, key: str, layout: PartLayout, *, tokens: Mapping[int, str] | None) -> StagedBlob:
        """Open a blob again; StorageFailed when it is gone.

        `tokens` are those of all committed parts by index; bytes that none of them names are freed. None for
        a complete blob, which takes no parts.
        """
        ...

    def reopen(self, key: str, layout: PartLayout) -> Sequence[str]:
        """Stage a complete blob again; return the tokens of its parts by index."""
        ...

    def read_part(self, key: str, part: Part, *, block: int) -> Iterator[bytes]:
        """Read a part of a staged blob back from the medium, not from a cache, in blocks of `block` bytes.

        The bytes end early when the medium has less; FileNotFoundError before the first block. Needs
        READS_PARTS.
        """
        ...

    def has_part(self, key: str, part: Part) -> bool:
        """Whether a staged blob has this part, as far as that can be said without reading its bytes."""
        ...

    def open(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        """Read the bytes from `offset`, `block` at most at a time; FileNotFoundError before the first."""
        ...

    def local_copy(
        self, key: str, *, stopped: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[Path]:
        """A local file with the blob's bytes, to be read only, and within the context.

        FileNotFoundError when there is no blob; Cancelled once `stopped` returns true.
        """
        ...

    def put(self, key: str, source: Path) -> None:
        """Move a finished local file in: once visible the blob is whole and durable."""
        ...

    def trim(self, key: str, size: int) -> None:
        """Cut a complete blob that is too long to `size` bytes, durably."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the key is taken by a blob, complete or staged."""
        ...

    def size(self, key: str) -> int:
        """Bytes that the blob, complete or staged, takes; FileNotFoundError when there is none."""
        ...

    def modified_at(self, key: str) -> float:
        """When the blob, complete or staged, was last written to, in seconds since 1970; now without any."""
        ...

    def delete(self, key: str) -> None:
        """Delete the blob, complete or staged, and everything below its key; harmless when there is none."""
        ...

    def list(self, prefix: str) -> Sequence[str]:
        """Keys under a prefix, sorted, of complete and staged blobs."""
        ...

    def free_bytes(self) -> int:
        """Free space; UNLIMITED without a known limit."""
        ...


@contextmanager
def present(name: str) -> Iterator[None]:
    """Raise BytesDiffer when the blob of this name was deleted behind the database."""
    try:
        yield
    except FileNotFoundError as error:
        raise BytesDiffer(f"the bytes of {name} are gone from the server's disk") from error
