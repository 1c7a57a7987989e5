"""What server_components bytes means: written at an offset, flushed, sealed; or put whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from facecli.core.errors import BytesDiffer

RETRY_AFTER = 30  # seconds; a person has to make room on a full disk


class BlobRun(Protocol):
    """Bytes one after another, written by one thread at a time."""

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`, now or by the end; DiskFull or StorageFailed when that cannot be."""
        ...

    def end(self) -> None:
        """Now all of it is in the blob; durable with its next flush."""
        ...

    def drop(self) -> None:
        """What is not in the blob yet is left out."""
        ...


class BlobWriter(Protocol):
    """An open blob. Whatever was written before `flush` returns survives a power cut."""

    def run(self, offset: int) -> BlobRun:
        """A run of bytes from `offset` on; of several at once each has a range of its own."""
        ...

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of `data`; DiskFull or StorageFailed when that cannot be."""
        ...

    def flush(self) -> None: ...

    def size(self) -> int:
        """Bytes up to the highest written one."""
        ...

    def forget_cached(self) -> None:
        """Let the next `read` tell what the disk holds, not what memory remembers."""
        ...

    def truncate(self, size: int) -> None:
        """Forget what lies behind `size`, durably."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; StorageFailed when the blob ends before."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class BlobStore(Protocol):
    """Blobs by key (`uploads/<id>`, `outputs/<id>`)."""

    def create(self, key: str, *, size: int | None) -> None:
        """An empty blob with room for `size` bytes, durable with the first flush; DiskFull without room."""
        ...

    def writer(self, key: str) -> BlobWriter: ...

    def read(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        """The bytes from `offset`, `block` at most at a time; FileNotFoundError before the first."""
        ...

    def path(self, key: str) -> Path:
        """A local file with the blob's bytes, to be read only."""
        ...

    def put(self, key: str, source: Path) -> None:
        """Move a finished local file in: visible means whole, and durable."""
        ...

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int:
        """Its bytes; FileNotFoundError when there is none."""
        ...

    def delete(self, key: str) -> None:
        """Gone, also when it was not there."""
        ...

    def keys(self, prefix: str) -> Sequence[str]: ...

    def free_bytes(self) -> int: ...


@contextmanager
def present(what: str) -> Iterator[None]:
    """BytesDiffer, saying so, when a blob that a row still knows was deleted behind our back."""
    try:
        yield
    except FileNotFoundError as error:
        raise BytesDiffer(f"the bytes of {what} are gone from the server's disk") from error
