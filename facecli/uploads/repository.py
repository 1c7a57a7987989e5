"""The repository of uploads and their chunks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from facecli.uploads.quota import Admit
from facecli.uploads.upload import Chunk, NewChunk, NewUpload, Upload


class UploadRepository(Protocol):
    """Rows of uploads and chunks. Every change is durable when the call returns."""

    def insert(
        self, uploads: Sequence[Upload], *, admit: Admit | None = None, reusable: Collection[str] = ()
    ) -> Sequence[Upload]:
        """Insert new uploads in one transaction and return them; AlreadyExists when an id is taken.

        Of those whose ids are `reusable`, one is not inserted where the same file has an upload, which is
        returned in its place: clients that begin at the same moment share an upload.

        `admit` gets the usage of each owner, to which nobody can add before the end, and may refuse all.
        """
        ...

    def get(self, upload_id: str, *, owner: str | None = None) -> Upload:
        """UploadNotFound for an unknown id and for another owner's alike: same message, same work."""
        ...

    def find(self, new: NewUpload) -> Upload | None:
        """The newest upload of the same owner, name, type, size, chunk size, chunks and fingerprint.

        If the size is unknown in `new`, that of the upload may be known.
        """
        ...

    def find_all(self, new: Sequence[NewUpload]) -> Sequence[Upload | None]:
        """`find` for each, in fewer queries."""
        ...

    def listed(self, owner: str, *, limit: int, before: str) -> Sequence[Upload]:
        """Uploads of an owner, newest first; `before` is the last id of the previous page, or empty.

        InvalidInput when `before` is not an upload of this owner.
        """
        ...

    def page(self, *, after: str) -> Sequence[Upload]:
        """A page of the uploads of all owners with ids above `after`, by id; an empty page is the end."""
        ...

    def chunks(self, upload_id: str) -> Sequence[Chunk]:
        """Stored chunks by index."""
        ...

    def claim(self, upload_id: str, *, now: float, expires_at: float) -> Upload:
        """Raise the epoch (fencing): no earlier writer can store a chunk any more."""
        ...

    def prolong(self, upload_ids: Sequence[str], *, expires_at: float) -> Sequence[Upload]:
        """Set the expiry of incomplete uploads; return those of the given ids that exist, in no order."""
        ...

    def store_chunks(self, new: Sequence[NewChunk], *, now: float, expires_at: float) -> Sequence[Upload]:
        """Insert flushed chunks in one transaction (group commit); return the upload of each, in order.

        All or none: TakenOver when an `epoch` is not the newest, ChunkDiffers when an upload is complete. The
        last chunk of a file fixes an unknown size.
        """
        ...

    def forget_chunks(self, upload_id: str, indexes: Sequence[int]) -> Upload:
        """Delete chunks that the disk has lost, and recount the rest."""
        ...

    def reopen(self, upload_id: str, intact: Sequence[Chunk], *, now: float, expires_at: float) -> Upload:
        """Make an upload incomplete again, with only these chunks."""
        ...

    def move_chunks(self, upload_id: str, moved: Sequence[Chunk]) -> None:
        """Record the new tokens of stored chunks; UploadNotFound for a deleted upload."""
        ...

    def complete(self, upload_id: str, *, crc32c: int, size: int, now: float) -> Upload:
        """Mark an upload as complete. Idempotent: a second call changes nothing."""
        ...

    def fix_size(self, upload_id: str, *, size: int, total_chunks: int) -> Upload:
        """Set the size of an upload that began without one, and has fewer bytes."""
        ...

    def expired(self, now: float) -> Sequence[Upload]:
        """Incomplete uploads that expired by `now`, oldest first."""
        ...

    def blob_keys(self, upload_ids: Collection[str]) -> Mapping[str, str]:
        """The blob keys of these uploads by their ids; without those that do not exist."""
        ...

    def needed_by(self, upload_id: str) -> str | None:
        """The id of an unfinished task of the same owner that reads this upload, if any."""
        ...

    def delete(self, upload_id: str, *, expired_at: float | None = None) -> bool:
        """Delete an upload and its chunks; with `expired_at` only if it is incomplete and had expired then.

        Return whether it was deleted.
        """
        ...
