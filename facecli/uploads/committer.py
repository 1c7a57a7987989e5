"""Keeps chunks: flush, then commit, then tell. Who writes to an upload, and what completes it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager

from facecli.core.blobs import BlobStore
from facecli.core.checksums import join
from facecli.core.errors import AlreadyExists, FileTooLarge, InvalidInput, NotFound, TakenOver
from facecli.core.expiry_clock import IdleTracker
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, NewChunk, Upload, blob_keys
from facecli.uploads.writer import UploadWriter

FLUSHES = 8  # at once

WrittenChunk = tuple[UploadWriter, Chunk]

_REFUSALS = (AlreadyExists, FileTooLarge, InvalidInput, NotFound, TakenOver)


class ChunkCommitter:
    """`expiry` is in seconds, `max_file_size` in bytes."""

    def __init__(
        self,
        files: OpenUploads,
        *,
        repository: UploadRepository,
        blobs: BlobStore,
        clock: Callable[[], float],
        idle_tracker: IdleTracker,
        expiry: float,
        max_file_size: int,
    ) -> None:
        self._files = files
        self._repository = repository
        self._blobs = blobs
        self._clock = clock
        self._idle_tracker = idle_tracker
        self._expiry = expiry
        self._max_file_size = max_file_size
        self._flushing = ThreadPoolExecutor(FLUSHES, thread_name_prefix="flush")

    @contextmanager
    def writer(self, upload_id: str) -> Iterator[UploadWriter]:
        """The newest writer of an upload; the one before can store nothing more."""
        with self._files.opened(upload_id) as file:
            with file.committing:
                file.revoke()
                if file.unclaimed:
                    file.unclaimed = False
                else:
                    now = self._clock()
                    file.upload = self._repository.claim(upload_id, now=now, expires_at=now + self._expiry)
                    file.chunks.update({chunk.index: chunk for chunk in self._repository.chunks(upload_id)})
                writer = UploadWriter(file, epoch=file.upload.epoch)
                file.revoke = writer.revoke
            try:
                yield writer
            finally:
                with file.committing:
                    writer.revoke()
                self._idle_tracker.touch([upload_id])

    def store(self, batch: Sequence[WrittenChunk]) -> Iterator[Upload]:
        """Each chunk's upload, in order, once the chunk may be acknowledged. The last chunk completes it.

        One flush a file and one commit for all. When one of several is refused they are stored one by one:
        TakenOver when another writer has begun, ChunkDiffers when the upload was completed meanwhile.
        """
        try:
            yield from self._stored(batch)
        except _REFUSALS:
            if len(batch) == 1:
                raise
            for one in batch:
                yield from self._stored([one])

    def completed(self, file: OpenUpload) -> Upload:
        """The upload, completed when every chunk of it is stored."""
        with file.commit():
            return self._completed(file, file.upload)

    def _stored(self, batch: Sequence[WrittenChunk]) -> list[Upload]:
        files = {writer.file.upload.id: writer.file for writer, _ in batch}
        with ExitStack() as held:
            for _, file in sorted(files.items()):
                held.enter_context(file.commit())
            for writer, chunk in batch:
                writer.check()
                self._check_size(writer.file.upload, chunk)
            fresh = [(writer, chunk) for writer, chunk in batch if not _known(writer, chunk)]
            states = {upload_id: file.upload for upload_id, file in files.items()}
            changed = {
                id(chunk): upload for (_, chunk), upload in zip(fresh, self._commit(fresh), strict=True)
            }
            told = []
            for writer, chunk in batch:
                writer.stored(chunk)
                upload_id = writer.file.upload.id
                states[upload_id] = changed.get(id(chunk), states[upload_id])
                told.append(states[upload_id])
            return [self._completed(files[upload.id], upload) for upload in told]

    def _commit(self, fresh: Sequence[WrittenChunk]) -> Sequence[Upload]:
        """Flush the files, remember the chunks, complete what they complete."""
        if not fresh:
            return ()
        files = {writer.file.upload.id: writer.file for writer, _ in fresh}
        self._flush(list(files.values()))
        with ExitStack() as unsure:
            for file in files.values():
                unsure.enter_context(file.unsure())
            rows, now = _rows(fresh), self._clock()
            self._idle_tracker.touch(files)
            uploads = self._repository.store_chunks(rows, now=now, expires_at=now + self._expiry)
        for (writer, chunk), upload in zip(fresh, uploads, strict=True):
            writer.file.upload = upload
            writer.file.chunks[chunk.index] = chunk
        return uploads

    def _flush(self, files: Sequence[OpenUpload]) -> None:
        """Side by side, because a disk makes many durable in little more time than one."""
        if len(files) == 1:
            files[0].flush()
            return
        flushes = [self._flushing.submit(file.flush) for file in files]
        wait(flushes)
        for flush in flushes:
            flush.result()

    def _completed(self, file: OpenUpload, upload: Upload) -> Upload:
        """`upload`, a state of the file's, completed when it has every chunk."""
        if upload.stored_chunks < upload.total_chunks or upload.completed:
            return upload
        if not file.upload.completed:
            now = self._repository.get(upload.id)
            file.upload = now if now.completed else self._complete(file, self._repository.chunks(upload.id))
        return file.upload

    def _complete(self, file: OpenUpload, chunks: Sequence[Chunk]) -> Upload:
        """Complete an upload of which the last chunk did not do it: some chunks are not at home."""
        old, size = file.upload, sum(chunk.size for chunk in chunks)
        crc32c = join((chunk.crc32c, chunk.size) for chunk in chunks)
        at_home = file.seal({chunk.index: chunk for chunk in chunks}, size)
        key = old.blob_key if at_home else self._copied(file, chunks, size)
        try:
            upload = self._repository.complete(
                old.id, crc32c=crc32c, size=size, blob_key=key, now=self._clock()
            )
        except NotFound:
            self._blobs.delete(old.blob_key)
            self._blobs.delete(key)
            raise
        if key != old.blob_key:
            self._blobs.delete(old.blob_key)
        return upload

    def _copied(self, file: OpenUpload, chunks: Sequence[Chunk], size: int) -> str:
        """The key of a blob with every chunk at home, because some were replaced on the way."""
        key = next(key for key in blob_keys(file.upload.id) if key != file.upload.blob_key)
        self._blobs.delete(key)
        self._blobs.create(key, size=size)
        with self._blobs.writer(key) as target:
            file.copy(chunks, target)
        return key

    def _check_size(self, upload: Upload, chunk: Chunk) -> None:
        size, limit = chunk.index * upload.chunk_size + chunk.size, self._max_file_size
        if size > limit:
            raise FileTooLarge(f"{upload.name} has {size} bytes; this server takes {limit} at most")


def _known(writer: UploadWriter, chunk: Chunk) -> bool:
    return writer.file.chunks.get(chunk.index) == chunk


def _rows(fresh: Sequence[WrittenChunk]) -> list[NewChunk]:
    """As they are to be remembered; the one that makes its file whole says so, and the file is sealed."""
    stored: dict[str, dict[int, Chunk]] = {}
    rows = []
    for writer, chunk in fresh:
        file, upload = writer.file, writer.file.upload
        chunks = stored.setdefault(upload.id, dict(file.chunks))
        missing = chunk.index not in chunks
        chunks[chunk.index] = chunk
        whole = None
        if missing and len(chunks) == upload.total_chunks:
            inorder = [chunks[index] for index in range(upload.total_chunks)]
            if file.seal(chunks, sum(each.size for each in inorder)):
                whole = join((each.crc32c, each.size) for each in inorder)
        rows.append(NewChunk(upload_id=upload.id, epoch=writer.epoch, chunk=chunk, whole=whole))
    return rows
