"""The upload service: creates, resumes, lists and cancels uploads, and stores their chunks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from facecli.core.blobs import BlobStore
from facecli.core.errors import InvalidInput, NotReady, UploadUnfinished
from facecli.core.events import Event, EventBus, UploadDeleted
from facecli.core.expiry_clock import ExpiryClock
from facecli.core.garbage import OrphanPolicy
from facecli.uploads.admission import UploadAdmission
from facecli.uploads.collector import UploadCollector
from facecli.uploads.committer import ChunkCommitter, WrittenChunk
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.quota import Quota
from facecli.uploads.registry import UploadRegistry
from facecli.uploads.repository import UploadRepository
from facecli.uploads.stage_times import StageClock
from facecli.uploads.upload import Chunk, Frame, NewUpload, Upload, upload_id_of
from facecli.uploads.writer import UploadWriter


class UploadService:
    """The entry point to uploads for every transport. Safe to use from many threads.

    `max_file_size` is in bytes.
    """

    def __init__(
        self,
        *,
        repository: UploadRepository,
        blobs: BlobStore,
        expiry_clock: ExpiryClock,
        quota: Quota,
        max_file_size: int,
        orphan_policy: OrphanPolicy,
        events: EventBus,
    ) -> None:
        self._repository = repository
        self._events = events
        self._open_uploads = OpenUploads(repository=repository, blobs=blobs, quota=quota)
        self._admission = admission = UploadAdmission(blobs=blobs, quota=quota, max_file_size=max_file_size)
        self._committer = ChunkCommitter(
            self._open_uploads,
            repository=repository,
            admission=admission,
            expiry_clock=expiry_clock,
            events=events,
        )
        self._registry = UploadRegistry(
            self._open_uploads,
            repository=repository,
            committer=self._committer,
            admission=admission,
            expiry_clock=expiry_clock,
            events=events,
        )
        self.collector = UploadCollector(
            repository=repository,
            blobs=blobs,
            open_uploads=self._open_uploads,
            expiry_clock=expiry_clock,
            orphan_policy=orphan_policy,
            events=events,
        )

    def begin(
        self, new: NewUpload, *, fresh: bool = False, upload_id: str = ""
    ) -> tuple[Upload, list[Chunk]]:
        """The upload to resume and its stored chunks; a new one when none fits or `fresh` asks for it."""
        return self._registry.begin(new, fresh=fresh, upload_id=upload_id)

    def begin_all(self, requested: Sequence[tuple[NewUpload, bool]]) -> list[tuple[Upload, list[Chunk]]]:
        """`begin` for many, each with its `fresh`; all or none, the new ones in one commit."""
        return self._registry.begin_all(requested)

    def resume(self, upload_id: str, *, owner: str) -> tuple[Upload, list[Chunk]]:
        """An upload of this owner with its chunks, once all that was received is stored; UploadNotFound."""
        return self._registry.resume(upload_id, owner=owner)

    def fix_size(self, upload_id: str, *, owner: str, size: int) -> None:
        """Set the size of an upload that began without one.

        InvalidInput for another size than before, or less than is stored; NotReady while somebody writes.
        """
        self._registry.fix_size(upload_id, owner=owner, size=size)

    def fitted(self, new: NewUpload) -> NewUpload:
        """The announcement as `begin` takes it: its chunk size may become larger."""
        return self._admission.fitted(new)

    @property
    def min_chunk_size(self) -> int:
        """Bytes of the smallest chunk that the blob store can keep among several; 0 for any."""
        return self._admission.min_chunk_size

    def largest_file(self, owner: str) -> int:
        """The size in bytes of the largest file that the limit, and the quota of this owner, allow now."""
        return self._admission.largest_file(owner)

    def get(self, upload_id: str, *, owner: str | None) -> Upload:
        """UploadNotFound for an unknown id and for another owner's alike; None matches every owner."""
        return self._repository.get(upload_id, owner=owner)

    def chunks(self, upload_id: str) -> Sequence[Chunk]:
        return self._repository.chunks(upload_id)

    def file(self, file_url: str, *, owner: str | None) -> Upload:
        """The complete upload behind a file_url; UploadUnfinished when it is not complete."""
        upload = self.get(upload_id_of(file_url), owner=owner)
        if not upload.completed:
            raise UploadUnfinished(
                f"the upload of {upload.name} is not complete: {upload.stored_bytes} bytes stored"
            )
        return upload

    def listed(self, *, owner: str, limit: int, before: str) -> Sequence[Upload]:
        return self._repository.listed(owner, limit=limit, before=before)

    @contextmanager
    def writer(self, upload_id: str, *, owner: str) -> Iterator[UploadWriter]:
        """Open the newest writer of an upload; the previous one can store no more chunks."""
        self._check_owner(upload_id, owner)
        with self._committer.writer(upload_id) as writer:
            yield writer

    def publish(self, event: Event) -> None:
        """Publish an event about the transfer of an upload."""
        self._events.publish(event)

    def store_all(self, batch: Sequence[WrittenChunk], stages: StageClock | None = None) -> Iterator[Upload]:
        """Make chunks durable by group commit; yield the upload of each once it may be acknowledged."""
        return self._committer.store(batch, stages or StageClock())

    def store(self, writer: UploadWriter, chunk: Chunk) -> Upload:
        """Make a chunk durable; it may be acknowledged on return. The last chunk completes the upload.

        TakenOver when another writer has begun, ChunkDiffers when the upload was completed meanwhile.
        """
        (upload,) = self._committer.store([(writer, chunk)], StageClock())
        return upload

    def put_chunk(self, upload_id: str, frame: Frame, *, owner: str) -> Upload:
        """Store one whole chunk, in any order, in parallel with other writers."""
        self._check_owner(upload_id, owner)
        with self._open_uploads.opened(upload_id) as file:
            writer = UploadWriter(file, epoch=None)
            try:
                chunk = writer.write(frame)
                if chunk is None:
                    raise InvalidInput(f"{len(frame.data)} bytes are not the whole chunk at {frame.offset}")
                return self.store(writer, chunk)
            finally:
                writer.revoke()
                self._committer.publish_lost(writer)

    def cancel(self, upload_id: str, *, owner: str) -> None:
        """Delete an upload, complete or not, with its bytes; NotReady while a task needs it."""
        upload = self.get(upload_id, owner=owner)
        if task_id := self._repository.needed_by(upload_id):
            raise NotReady(f"task {task_id} needs {upload.name}; cancel it with facecli task cancel first")
        with self._open_uploads.exclusive(upload_id) as file:
            deleted = self._repository.delete(upload_id)
            self._open_uploads.forget_fresh(upload_id)
            if file:  # only now: a revoked writer frees its parts, and a commit under way may refer to them
                file.revoke_writer()
                if not file.upload.completed:
                    file.discard()
        if deleted:
            self._events.publish(UploadDeleted(upload_id=upload_id, cause="cancelled"))
        self.collector.delete_blobs(upload_id)

    def _check_owner(self, upload_id: str, owner: str) -> None:
        if self._open_uploads.owner(upload_id) != owner:
            self.get(upload_id, owner=owner)
