"""Where uploads and their chunks are remembered."""

from collections.abc import Sequence
from typing import Protocol

from facecli.uploads.upload import Chunk, NewChunk, NewUpload, Upload


class UploadRepository(Protocol):
    """Every change is durable when the call returns."""

    def insert(self, uploads: Sequence[Upload]) -> None:
        """Remember new uploads in one transaction; AlreadyExists when an id is taken."""
        ...

    def get(self, upload_id: str, *, owner: str | None = None) -> Upload:
        """UploadNotFound when there is none, or none of this owner: the same words after the same work."""
        ...

    def find(self, new: NewUpload) -> Upload | None:
        """The newest upload of the same owner, name, type, size, chunk size, chunks and fingerprint.

        A size that is unknown in `new` may be known by now.
        """
        ...

    def find_all(self, wanted: Sequence[NewUpload]) -> Sequence[Upload | None]:
        """`find` for each, in fewer questions."""
        ...

    def listed(self, owner: str, *, limit: int, before: str) -> Sequence[Upload]:
        """Newest first; `before` is the id that ended the page before, or empty."""
        ...

    def page(self, *, after: str) -> Sequence[Upload]:
        """Everybody's, by id, the ones behind that id; not all if they are many."""
        ...

    def chunks(self, upload_id: str) -> Sequence[Chunk]:
        """By index."""
        ...

    def claim(self, upload_id: str, *, now: float, expires_at: float) -> Upload:
        """Raise the epoch: from now on no earlier writer can store a chunk."""
        ...

    def prolong(self, upload_ids: Sequence[str], *, expires_at: float) -> Sequence[Upload]:
        """Let incomplete ones expire then; of all of these the uploads that are there, in no order."""
        ...

    def store_chunks(self, new: Sequence[NewChunk], *, now: float, expires_at: float) -> Sequence[Upload]:
        """Remember flushed chunks in one transaction; each one's upload, in the same order.

        All or none: TakenOver when an `epoch` is not the newest, ChunkDiffers when an upload is complete. The
        last chunk of a file tells a size that was unknown.
        """
        ...

    def forget_chunks(self, upload_id: str, indexes: Sequence[int]) -> Upload:
        """Chunks that the disk has lost: they are missing again, and those that are left are counted anew."""
        ...

    def reopen(self, upload_id: str, lost: Sequence[int], *, now: float, expires_at: float) -> Upload:
        """A complete upload is incomplete again without the lost chunks; those that are left lie at home."""
        ...

    def complete(self, upload_id: str, *, crc32c: int, size: int, blob_key: str, now: float) -> Upload:
        """From now on the file at `blob_key` is visible and never changes."""
        ...

    def expired(self, now: float) -> Sequence[Upload]:
        """Incomplete uploads whose time is over."""
        ...

    def needed_by(self, upload_id: str) -> str | None:
        """A task that has not ended and reads it; None when there is none."""
        ...

    def delete(self, upload_id: str, *, expired_at: float | None = None) -> bool:
        """Forget it; with `expired_at` only when it is incomplete and its time was over then."""
        ...
