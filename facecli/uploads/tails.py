"""The tail of an upload: durable bytes after its last whole chunk, for clients that know no chunks."""

from dataclasses import dataclass
from typing import Protocol

MAX_TAIL_CHUNK = 5 * 1024 * 1024  # bytes; uploads with larger chunks keep no tails


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Less than a chunk. It counts only while `offset` is where the whole chunks end."""

    offset: int
    data: bytes


class TailRepository(Protocol):
    """One tail of each upload at most. Every change is durable when the call returns."""

    def get(self, upload_id: str) -> Tail | None: ...

    def put(self, upload_id: str, tail: Tail, *, epoch: int | None) -> None:
        """Replace the tail.

        UploadNotFound for a deleted upload, TakenOver when `epoch` is not the newest.
        """
        ...

    def delete(self, upload_id: str) -> None:
        """Delete the tail; harmless when there is none."""
        ...
