"""Removes uploads that nobody goes on with, and bytes of uploads that no row knows."""

from collections.abc import Callable
from datetime import UTC, datetime

from facecli.core.blobs import BlobStore
from facecli.core.errors import UploadNotFound
from facecli.core.expiry_clock import IdleTracker
from facecli.core.garbage import Garbage, GarbageKind, orphan_blob, removed, size_of
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Upload, blob_keys


class UploadCollector:
    """`clock` is on the wall, and jumps; `idle_tracker` measures."""

    def __init__(
        self,
        *,
        repository: UploadRepository,
        blobs: BlobStore,
        files: OpenUploads,
        idle_tracker: IdleTracker,
        clock: Callable[[], float],
    ) -> None:
        self._repository = repository
        self._blobs = blobs
        self._files = files
        self._idle_tracker = idle_tracker
        self._clock = clock

    def expire(self) -> int:
        """Remove incomplete uploads whose time is over; how many went. To be called again and again."""
        return removed(self.overdue(measured=True))

    def sweep(self) -> int:
        """Remove bytes that no row knows, left by a death between two steps. Only before serving."""
        return removed(self.orphans())

    def overdue(self, *, measured: bool) -> list[Garbage]:
        """Incomplete uploads whose time is over by the wall, and also as `measured` by this process."""
        now = self._clock()
        over = self._repository.expired(now)
        return [
            self._overdue(upload, now) for upload in (self._idle_tracker.expired(over) if measured else over)
        ]

    def orphans(self) -> list[Garbage]:
        """Bytes that no row knows."""
        keys = [key for key in self._blobs.keys("uploads") if not self._known(key)]
        return [orphan_blob(self._blobs, key, reason="no upload has its bytes there") for key in keys]

    def delete_blobs(self, upload_id: str) -> None:
        for key in blob_keys(upload_id):
            self._blobs.delete(key)

    def _overdue(self, upload: Upload, now: float) -> Garbage:
        return Garbage(
            kind=GarbageKind.UPLOAD,
            id=upload.id,
            reason=f"{upload.name} is incomplete, its time was over {day(upload.expires_at)}",
            size=size_of(self._blobs, blob_keys(upload.id)),
            remove=lambda: self._remove(upload.id, now),
        )

    def _remove(self, upload_id: str, expired_at: float) -> bool:
        """Unless somebody has gone on with it. The row goes first: `orphans` finds what a death leaves."""
        with self._files.alone(upload_id) as file:
            if file or not self._repository.delete(upload_id, expired_at=expired_at):
                return False
            self._files.forget(upload_id)
        self.delete_blobs(upload_id)
        return True

    def _known(self, key: str) -> bool:
        try:
            return self._repository.get(key.split("/")[1].partition(".")[0]).blob_key == key
        except UploadNotFound:
            return False


def day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
