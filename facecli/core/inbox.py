"""Takes uploads in: begins them, stores their chunks, completes, lists, cancels and expires them."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.blobs import BlobStore
from facecli.core.checksums import join
from facecli.core.errors import (
    FileTooLarge,
    InvalidInput,
    NotFound,
    StorageFailed,
    UploadNotFound,
    UploadUnfinished,
)
from facecli.core.upload_writer import OpenFile, UploadWriter
from facecli.core.uploads import Chunk, Frame, NewUpload, Upload, UploadRows, upload_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLimits:
    max_file_size: int  # bytes
    expiry: float  # seconds without a stored chunk, then an incomplete upload goes


class Inbox:
    """The one way to uploads. Safe to use from many threads."""

    def __init__(
        self, *, rows: UploadRows, blobs: BlobStore, clock: Callable[[], float], limits: InboxLimits
    ) -> None:
        self.limits = limits
        self._rows = rows
        self._blobs = blobs
        self._clock = clock
        self._open: dict[str, OpenFile] = {}
        self._lock = threading.RLock()

    def begin(
        self, new: NewUpload, *, fresh: bool = False, upload_id: str = ""
    ) -> tuple[Upload, list[Chunk]]:
        """The upload to go on with and its stored chunks; a new one when none fits or `fresh` asks for it."""
        if new.size is not None:
            self._check_size(new.name, new.size)
        found = None if fresh or upload_id else self._rows.find(new)
        if found is None:
            upload_id = upload_id or new_upload_id()
            key = _key(upload_id)
            self._blobs.create(key, size=new.size)
            now = self._clock()
            try:
                found = self._rows.insert(
                    new, upload_id=upload_id, blob_key=key, now=now, expires_at=now + self.limits.expiry
                )
            except BaseException:
                self._blobs.delete(key)
                raise
        chunks = list(self._rows.chunks(found.id))
        if not found.completed and len(chunks) == found.total_chunks:
            with self._opened(found.id) as file:
                found = self._completed(file)
        return found, chunks

    def get(self, upload_id: str, *, owner: str | None) -> Upload:
        """UploadNotFound for an unknown id and for somebody else's alike; None asks for anybody's."""
        upload = self._rows.get(upload_id)
        if owner is not None and upload.owner != owner:
            raise UploadNotFound(f"there is no upload {upload_id}")
        return upload

    def chunks(self, upload_id: str) -> Sequence[Chunk]:
        return self._rows.chunks(upload_id)

    def file(self, file_url: str, *, owner: str | None) -> Upload:
        """The complete upload behind a file_url; UploadUnfinished when it is not complete."""
        upload = self.get(upload_id_of(file_url), owner=owner)
        if not upload.completed:
            raise UploadUnfinished(
                f"the upload of {upload.name} is not complete: {upload.stored_bytes} bytes stored"
            )
        return upload

    def listed(self, *, owner: str, limit: int, before: str) -> Sequence[Upload]:
        return self._rows.listed(owner, limit=limit, before=before)

    @contextmanager
    def writer(self, upload_id: str, *, owner: str) -> Iterator[UploadWriter]:
        """The newest writer of an upload; the one before can store nothing more."""
        self.get(upload_id, owner=owner)
        with self._opened(upload_id) as file:
            with file.committing:
                if file.writer:
                    file.writer.revoke()
                now = self._clock()
                file.upload = self._rows.claim(upload_id, now=now, expires_at=now + self.limits.expiry)
                file.chunks.update({chunk.index: chunk for chunk in self._rows.chunks(upload_id)})
                writer = file.writer = UploadWriter(file, epoch=file.upload.epoch)
            try:
                yield writer
            finally:
                with file.committing:
                    writer.revoke()

    def store(self, writer: UploadWriter, chunk: Chunk) -> Upload:
        """Flush, then commit: when this returns the chunk may be acknowledged. The last one completes.

        TakenOver when another writer has begun, ChunkDiffers when the upload was completed meanwhile.
        """
        file = writer.file
        self._check_size(file.upload.name, chunk.index * file.upload.chunk_size + chunk.size)
        with file.committing:
            writer.check()
            if file.chunks.get(chunk.index) == chunk:
                file.upload = self._rows.get(file.upload.id)
            else:
                file.flush()
                file.upload = self._commit(writer, chunk)
            writer.stored(chunk)
        return self._completed(file)

    def put_chunk(self, upload_id: str, frame: Frame, *, owner: str) -> Upload:
        """Store one whole chunk, in any order, beside others."""
        self.get(upload_id, owner=owner)
        with self._opened(upload_id) as file:
            writer = UploadWriter(file, epoch=None)
            try:
                chunk = writer.write(frame)
                if chunk is None:
                    raise InvalidInput(f"{len(frame.data)} bytes are not the whole chunk at {frame.offset}")
                return self.store(writer, chunk)
            finally:
                writer.revoke()

    def cancel(self, upload_id: str, *, owner: str) -> None:
        """Forget an upload, complete or not, and its bytes."""
        self.get(upload_id, owner=owner)
        with self._lock:
            file = self._open.get(upload_id)
            if file and file.writer:
                file.writer.revoke()
            self._rows.delete(upload_id)
        self._delete_blobs(upload_id)

    def expire(self) -> int:
        """Remove incomplete uploads whose time is over and bytes without a row; how many went."""
        now, gone = self._clock(), 0
        for upload in self._rows.expired(now):
            with self._lock:
                if upload.id in self._open or not self._rows.delete(upload.id, expired_at=now):
                    continue
            self._delete_blobs(upload.id)
            gone += 1
        return gone

    def sweep(self) -> int:
        """Remove bytes that no row knows, left by a death between two steps. Only before serving."""
        gone = 0
        for key in self._blobs.keys("uploads"):
            try:
                kept = self._rows.get(key.split("/")[1].partition(".")[0]).blob_key == key
            except UploadNotFound:
                kept = False
            if not kept:
                self._blobs.delete(key)
                gone += 1
        return gone

    @contextmanager
    def _opened(self, upload_id: str) -> Iterator[OpenFile]:
        with self._lock:
            file = self._open.get(upload_id)
            if file is None:
                upload = self._rows.get(upload_id)
                chunks = self._rows.chunks(upload_id)
                file = self._open[upload_id] = OpenFile(upload, self._blobs.writer(upload.blob_key), chunks)
            if file.broken:
                raise StorageFailed(f"a flush of {file.upload.name} failed; waiting for its writers to end")
            file.users += 1
        try:
            yield file
        finally:
            with self._lock:
                file.users -= 1
                if not file.users:
                    del self._open[upload_id]
                    file.blob.__exit__(None, None, None)

    def _commit(self, writer: UploadWriter, chunk: Chunk) -> Upload:
        now = self._clock()
        with writer.file.unsure():
            return self._rows.store_chunk(
                writer.file.upload.id,
                epoch=writer.epoch,
                chunk=chunk,
                now=now,
                expires_at=now + self.limits.expiry,
            )

    def _completed(self, file: OpenFile) -> Upload:
        """The upload, completed when every chunk of it is stored."""
        if file.upload.completed or file.upload.stored_chunks < file.upload.total_chunks:
            return file.upload
        with file.committing:
            upload = self._rows.get(file.upload.id)
            file.upload = upload if upload.completed else self._complete(file, self._rows.chunks(upload.id))
        return file.upload

    def _complete(self, file: OpenFile, chunks: Sequence[Chunk]) -> Upload:
        old, size = file.upload, sum(chunk.size for chunk in chunks)
        crc32c = join((chunk.crc32c, chunk.size) for chunk in chunks)
        key = old.blob_key if file.seal(size) else self._copied(file, chunks, size)
        try:
            upload = self._rows.complete(old.id, crc32c=crc32c, size=size, blob_key=key, now=self._clock())
        except NotFound:
            self._delete_blobs(old.id)
            raise
        if key != old.blob_key:
            self._blobs.delete(old.blob_key)
        return upload

    def _copied(self, file: OpenFile, chunks: Sequence[Chunk], size: int) -> str:
        """The key of a blob with every chunk at home, because some were replaced on the way."""
        key = f"{_key(file.upload.id)}.whole"
        self._blobs.delete(key)
        self._blobs.create(key, size=size)
        with self._blobs.writer(key) as target:
            file.copy(chunks, target)
        return key

    def _delete_blobs(self, upload_id: str) -> None:
        self._blobs.delete(_key(upload_id))
        self._blobs.delete(f"{_key(upload_id)}.whole")

    def _check_size(self, name: str, size: int) -> None:
        if size > self.limits.max_file_size:
            limit = self.limits.max_file_size
            raise FileTooLarge(f"{name} has {size} bytes; this server takes {limit} at most")


def new_upload_id() -> str:
    return uuid.uuid4().hex


def _key(upload_id: str) -> str:
    return f"uploads/{upload_id}"
