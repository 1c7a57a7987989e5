"""Takes uploads in: begins them, hands out their writers, lists and cancels them."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.blobs import RETRY_AFTER, BlobStore
from facecli.core.errors import DiskFull, FileTooLarge, InvalidInput, NotReady, UploadUnfinished
from facecli.core.expiry_clock import IdleTracker
from facecli.uploads.collector import UploadCollector
from facecli.uploads.committer import ChunkCommitter, WrittenChunk
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.quota import Quota
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, Frame, NewUpload, Upload, blob_keys, upload_id_of
from facecli.uploads.writer import UploadWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    max_file_size: int  # bytes
    expiry: float  # seconds after which an incomplete upload goes that nobody begins again or adds to


class UploadService:
    """The one way to uploads. Safe to use from many threads."""

    def __init__(
        self,
        *,
        repository: UploadRepository,
        blobs: BlobStore,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        limits: UploadLimits,
        quota: Quota,
    ) -> None:
        """`clock` is the one on the wall, which jumps; `monotonic` measures."""
        self.limits = limits
        self._quota = quota
        self._repository = repository
        self._blobs = blobs
        self._clock = clock
        self._idle_tracker = IdleTracker(expiry=limits.expiry, monotonic=monotonic)
        self._files = OpenUploads(repository=repository, blobs=blobs)
        self._committer = ChunkCommitter(
            self._files,
            repository=repository,
            blobs=blobs,
            clock=clock,
            idle_tracker=self._idle_tracker,
            expiry=limits.expiry,
            max_file_size=limits.max_file_size,
        )
        self.collector = UploadCollector(
            repository=repository,
            blobs=blobs,
            files=self._files,
            idle_tracker=self._idle_tracker,
            clock=clock,
        )

    def begin(
        self, new: NewUpload, *, fresh: bool = False, upload_id: str = ""
    ) -> tuple[Upload, list[Chunk]]:
        """The upload to go on with and its stored chunks; a new one when none fits or `fresh` asks for it."""
        self._check_size(new)
        stored = None if fresh or upload_id else self._repository.find(new)
        (found,) = self._found([stored])
        if found is None:
            begun = self._new(new, upload_id or new_upload_id())
            self._insert([begun])
            return begun, []
        return found

    def begin_all(self, wanted: Sequence[tuple[NewUpload, bool]]) -> list[tuple[Upload, list[Chunk]]]:
        """`begin` for many, each with whether it shall be fresh; all or none. The new ones are one commit."""
        for new, _ in wanted:
            self._check_size(new)
        results: list[tuple[Upload, list[Chunk]]] = []
        begun: dict[NewUpload, Upload] = {}
        stored = iter(self._found(self._repository.find_all([new for new, fresh in wanted if not fresh])))
        for new, fresh in wanted:
            found = None if fresh else next(stored)
            if found is None or new in begun:
                begun[new] = begun.get(new) or self._new(new, new_upload_id())
                results.append((begun[new], []))
            else:
                results.append(found)
        if begun:
            self._insert(list(begun.values()))
        return results

    def get(self, upload_id: str, *, owner: str | None) -> Upload:
        """UploadNotFound for an unknown id and for somebody else's alike; None asks for anybody's."""
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
        """The newest writer of an upload; the one before can store nothing more."""
        self._check_owner(upload_id, owner)
        with self._committer.writer(upload_id) as writer:
            yield writer

    def store_all(self, batch: Sequence[WrittenChunk]) -> Iterator[Upload]:
        """Make chunks durable together; each one's upload when it may be acknowledged, in order."""
        return self._committer.store(batch)

    def store(self, writer: UploadWriter, chunk: Chunk) -> Upload:
        """Make a chunk durable: when this returns it may be acknowledged. The last one completes.

        TakenOver when another writer has begun, ChunkDiffers when the upload was completed meanwhile.
        """
        (upload,) = self._committer.store([(writer, chunk)])
        return upload

    def put_chunk(self, upload_id: str, frame: Frame, *, owner: str) -> Upload:
        """Store one whole chunk, in any order, beside others."""
        self._check_owner(upload_id, owner)
        with self._files.opened(upload_id) as file:
            writer = UploadWriter(file, epoch=None)
            try:
                chunk = writer.write(frame)
                if chunk is None:
                    raise InvalidInput(f"{len(frame.data)} bytes are not the whole chunk at {frame.offset}")
                return self.store(writer, chunk)
            finally:
                writer.revoke()

    def cancel(self, upload_id: str, *, owner: str) -> None:
        """Forget an upload, complete or not, and its bytes; NotReady while a task needs it."""
        upload = self.get(upload_id, owner=owner)
        if task_id := self._repository.needed_by(upload_id):
            raise NotReady(
                f"task {task_id} needs {upload.name}; facecli task cancel ends it, then the file can go"
            )
        with self._files.alone(upload_id) as file:
            if file:
                file.revoke()
            self._files.forget(upload_id)
            self._repository.delete(upload_id)
        self.collector.delete_blobs(upload_id)

    def _new(self, new: NewUpload, upload_id: str) -> Upload:
        now = self._clock()
        return Upload.begun(
            new,
            upload_id=upload_id,
            blob_key=blob_keys(upload_id)[0],
            now=now,
            expires_at=now + self.limits.expiry,
        )

    def _insert(self, begun: Sequence[Upload]) -> None:
        """Remember new uploads; their blobs are made when somebody writes to them."""
        wanted, free = sum(upload.size or 0 for upload in begun), self._blobs.free_bytes()
        if wanted > free:
            raise DiskFull(
                f"no room for {wanted} bytes, {free} are free; what was acknowledged is kept",
                retry_after=RETRY_AFTER,
            )
        with self._quota.uploads(begun):
            self._repository.insert(begun)
        self._idle_tracker.touch(upload.id for upload in begun)
        for upload in begun:
            self._files.begun(upload)

    def _found(self, uploads: Sequence[Upload | None]) -> list[tuple[Upload, list[Chunk]] | None]:
        """Each as it is now, with its stored chunks and all its time before it; None for one that is gone.

        What was on its way when the line was cut is stored first, so that nobody sends it again.
        """
        unfinished = [upload.id for upload in uploads if upload and not upload.completed]
        self._files.settle(unfinished)
        self._idle_tracker.touch(unfinished)
        until = self._clock() + self.limits.expiry
        there = {upload.id: upload for upload in uploads if upload and upload.completed}
        if unfinished:
            there |= {upload.id: upload for upload in self._repository.prolong(unfinished, expires_at=until)}
        return [
            self._with_chunks(there[upload.id]) if upload and upload.id in there else None
            for upload in uploads
        ]

    def _with_chunks(self, upload: Upload) -> tuple[Upload, list[Chunk]]:
        chunks = list(self._repository.chunks(upload.id))
        all_stored = len(chunks) == upload.total_chunks
        if not upload.completed and (all_stored or self._files.doubted(upload.id)):
            with self._files.opened(upload.id) as file:
                upload = self._committer.completed(file)
            chunks = list(self._repository.chunks(upload.id))
        return upload, chunks

    def _check_owner(self, upload_id: str, owner: str) -> None:
        if self._files.owner(upload_id) != owner:
            self.get(upload_id, owner=owner)

    def _check_size(self, new: NewUpload) -> None:
        limit = self.limits.max_file_size
        if new.size is not None and new.size > limit:
            raise FileTooLarge(f"{new.name} has {new.size} bytes; this server takes {limit} at most")


def new_upload_id() -> str:
    return uuid.uuid4().hex
