"""Garbage collection of uploads: expired incomplete uploads, and orphaned blobs."""

import math
from datetime import UTC, datetime

from facecli.core.blobs import BlobStore
from facecli.core.events import EventBus, UploadDeleted
from facecli.core.expiry_clock import ExpiryClock
from facecli.core.garbage import Garbage, GarbageKind, OrphanPolicy, orphan_blob, remove_all, size_of
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Upload, blob_keys


class UploadCollector:
    """Finds and removes expired uploads and orphaned blobs."""

    def __init__(
        self,
        *,
        repository: UploadRepository,
        blobs: BlobStore,
        open_uploads: OpenUploads,
        expiry_clock: ExpiryClock,
        orphan_policy: OrphanPolicy,
        events: EventBus,
    ) -> None:
        self._repository = repository
        self._blobs = blobs
        self._open_uploads = open_uploads
        self._expiry_clock = expiry_clock
        self._orphan_policy = orphan_policy
        self._events = events

    def expire(self) -> int:
        """Remove expired incomplete uploads; return their number. To be called periodically."""
        return remove_all(self.overdue(measured=True), clock=self._orphan_policy.clock)

    def sweep(self) -> int:
        """Remove old orphaned blobs, left by a crash; return their number. Only before the server starts.

        Also frees replaced chunks of incomplete uploads, which a crash left next to the new ones.
        """
        for upload in self._repository.expired(math.inf):
            self._open_uploads.reclaim(upload)
        removable = self._orphan_policy.removable(self.orphans())
        return remove_all(removable, clock=self._orphan_policy.clock)

    def overdue(self, *, measured: bool) -> list[Garbage]:
        """Uploads expired by the wall clock and, if `measured`, also by this process's monotonic clock."""
        now = self._expiry_clock.now()
        overdue = self._repository.expired(now)
        uploads = self._expiry_clock.expired(overdue) if measured else overdue
        return [self._overdue(upload, now) for upload in uploads]

    def orphans(self) -> list[Garbage]:
        """Blobs of uploads that no row refers to."""
        keys = {key: _upload_id(key) for key in self._blobs.list("uploads")}
        known = self._repository.blob_keys(set(keys.values()))
        unknown = [key for key, upload_id in keys.items() if known.get(upload_id) != key]
        return [orphan_blob(self._blobs, key, reason="no upload refers to it") for key in unknown]

    def delete_blobs(self, upload_id: str) -> None:
        for key in blob_keys(upload_id):
            self._blobs.delete(key)

    def _overdue(self, upload: Upload, now: float) -> Garbage:
        return Garbage(
            kind=GarbageKind.UPLOAD,
            id=upload.id,
            reason=f"{upload.name} is incomplete and expired on {day(upload.expires_at)}",
            size=size_of(self._blobs, blob_keys(upload.id)),
            modified_at=upload.updated_at,
            remove=lambda: self._remove(upload.id, now),
        )

    def _remove(self, upload_id: str, expired_at: float) -> bool:
        """Remove an upload unless it was resumed; row first, so that a crash leaves only an orphan."""
        with self._open_uploads.exclusive(upload_id) as file:
            if file or not self._repository.delete(upload_id, expired_at=expired_at):
                return False
            self._open_uploads.forget_fresh(upload_id)
        self._events.publish(UploadDeleted(upload_id=upload_id, cause="expired"))
        self.delete_blobs(upload_id)
        return True


def _upload_id(blob_key: str) -> str:
    return blob_key.split("/")[1].partition(".")[0]


def day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
