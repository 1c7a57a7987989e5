"""Durable chunks by group commit: flush, commit, acknowledge, always in that order.

Theory of operation. A batch holds chunks of many uploads. Their files are flushed in parallel, one flush per
file; one transaction commits all rows; only then may the chunks be acknowledged. The chunk that completes an
upload whose parts are in order completes its row in the same transaction. An upload with replaced chunks is
completed afterwards: its parts are copied into order, a few at a time, each time flush, then commit, then
free the space of the originals. A crash between two of these steps leaves an upload that the next `begin`
completes. Fencing: the transaction refuses chunks of a writer whose epoch is not the newest.
"""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager

from facecli.core.checksums import join
from facecli.core.errors import AlreadyExists, FileTooLarge, InvalidInput, NotFound, TakenOver
from facecli.core.events import (
    BatchCommitted,
    BytesLost,
    ChunkRepeated,
    ChunkStored,
    EventBus,
    UploadCompleted,
)
from facecli.core.expiry_clock import ExpiryClock
from facecli.uploads.admission import UploadAdmission
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.repository import UploadRepository
from facecli.uploads.stage_times import StageClock
from facecli.uploads.upload import Chunk, NewChunk, Upload
from facecli.uploads.writer import UploadWriter

PARALLEL_FLUSHES = 8

WrittenChunk = tuple[UploadWriter, Chunk]

_REFUSALS = (AlreadyExists, FileTooLarge, InvalidInput, NotFound, TakenOver)


class ChunkCommitter:
    """Makes chunks durable (fsync, commit, acknowledge) and completes uploads."""

    def __init__(
        self,
        open_uploads: OpenUploads,
        *,
        repository: UploadRepository,
        admission: UploadAdmission,
        expiry_clock: ExpiryClock,
        events: EventBus,
    ) -> None:
        self._open_uploads = open_uploads
        self._repository = repository
        self._admission = admission
        self._expiry_clock = expiry_clock
        self._events = events
        self._flushes = ThreadPoolExecutor(PARALLEL_FLUSHES, thread_name_prefix="flush")

    @contextmanager
    def writer(self, upload_id: str) -> Iterator[UploadWriter]:
        """Open the newest writer of an upload; the previous one can store no more chunks."""
        with self._open_uploads.opened(upload_id) as file:
            with file.commit():
                writer = UploadWriter(file, epoch=file.supersede(lambda: self._claim(upload_id)))
                file.attach(writer.revoke)
            try:
                yield writer
            finally:
                with file.commit():
                    writer.revoke()
                self.publish_lost(writer)
                self._expiry_clock.touch([upload_id])

    def store(self, batch: Sequence[WrittenChunk], stages: StageClock) -> Iterator[Upload]:
        """Yield the upload of each chunk, in order, once it may be acknowledged. The last chunk completes it.

        If one of several chunks is refused, they are stored one by one: TakenOver when a newer writer exists,
        ChunkDiffers when the upload was completed meanwhile, or the error of one that could not be sent.
        """
        if all(_is_sent(written) for written in batch):  # outside of the commit, which others wait for
            try:
                yield from self._stored(batch, stages)
                return
            except _REFUSALS:
                if len(batch) == 1:
                    raise
        for written in batch:
            writer, chunk = written
            writer.check_sent(chunk.index)
            yield from self._stored([written], stages)

    def publish_lost(self, writer: UploadWriter) -> None:
        """Publish the bytes that a writer received in vain, once it has ended."""
        if writer.unsettled:
            self._events.publish(BytesLost(upload_id=writer.file.upload.id, size=writer.unsettled))

    def completed(self, file: OpenUpload) -> Upload:
        """Complete the upload if all of its chunks are stored, and return it."""
        with file.commit():
            return self._completed(file, file.upload)

    def _claim(self, upload_id: str) -> tuple[Upload, Sequence[Chunk]]:
        now = self._expiry_clock.now()
        upload = self._repository.claim(upload_id, now=now, expires_at=self._expiry_clock.expires_at(now))
        return upload, self._repository.chunks(upload_id)

    def _stored(self, batch: Sequence[WrittenChunk], stages: StageClock) -> list[Upload]:
        files = _files(batch)
        with ExitStack() as stack:
            for _, file in sorted(files.items()):
                stack.enter_context(file.commit())
            for writer, chunk in batch:
                writer.check()
                self._admission.check_chunk(writer.file.upload, chunk)
            fresh = [(writer, chunk) for writer, chunk in batch if not _is_stored(writer, chunk)]
            states = {upload_id: file.upload for upload_id, file in files.items()}
            committed = self._commit(fresh, stages)
            changed = {id(chunk): upload for (_, chunk), upload in zip(fresh, committed, strict=True)}
            self._publish_repeated(batch, changed)
            acknowledged = []
            for writer, chunk in batch:
                writer.file.add_chunk(chunk)
                writer.release(chunk.index)
                writer.settle(chunk.size)
                upload_id = writer.file.upload.id
                states[upload_id] = changed.get(id(chunk), states[upload_id])
                acknowledged.append(states[upload_id])
            return [self._completed(files[upload.id], upload) for upload in acknowledged]

    def _commit(self, fresh: Sequence[WrittenChunk], stages: StageClock) -> Sequence[Upload]:
        """Flush the files, then commit the chunks, and the uploads that they complete in order."""
        if not fresh:
            return ()
        files = _files(fresh)
        began = stages.now()
        self._flush(fresh)
        flushed = stages.now()
        stages.flush += flushed - began
        with ExitStack() as stack:
            for file in files.values():
                stack.enter_context(file.unsure())
            rows, now = _rows(fresh), self._expiry_clock.now()
            self._expiry_clock.touch(files)
            uploads = self._repository.store_chunks(
                rows, now=now, expires_at=self._expiry_clock.expires_at(now)
            )
        committed = stages.now()
        stages.commit += committed - flushed
        for (writer, chunk), upload in zip(fresh, uploads, strict=True):
            writer.file.update(upload)
            writer.file.add_chunk(chunk)
        self._events.publish(
            BatchCommitted(chunks=len(fresh), flush=flushed - began, commit=committed - flushed)
        )
        for row, upload in zip(rows, uploads, strict=True):
            self._events.publish(
                ChunkStored(
                    upload_id=upload.id, owner=upload.owner, index=row.chunk.index, size=row.chunk.size
                )
            )
            if row.whole is not None:
                self._publish_completed(upload)
        return uploads

    def _flush(self, fresh: Sequence[WrittenChunk]) -> None:
        """Flush in parallel, because many files take a disk little longer than one."""
        tokens: dict[OpenUpload, list[str]] = {}
        for writer, chunk in fresh:
            tokens.setdefault(writer.file, []).append(chunk.token)
        if len(tokens) == 1:
            (file,) = tokens
            file.flush(tokens[file])
            return
        flushes = [self._flushes.submit(file.flush, tokens[file]) for file in tokens]
        wait(flushes)
        for flush in flushes:
            flush.result()

    def _completed(self, file: OpenUpload, upload: Upload) -> Upload:
        """Complete the file's upload if its state `upload` has every chunk; return the newest state."""
        if upload.stored_chunks < upload.total_chunks or upload.completed:
            return upload
        if not file.upload.completed:
            current = self._repository.get(upload.id)
            file.update(
                current if current.completed else self._complete(file, self._repository.chunks(upload.id))
            )
        return file.upload

    def _complete(self, file: OpenUpload, chunks: Sequence[Chunk]) -> Upload:
        """Complete an upload with replaced chunks, whose parts are out of order."""
        upload_id = file.upload.id
        with file.unsure():
            file.rearrange(chunks, lambda moved: self._repository.move_chunks(upload_id, moved))
            upload = self._repository.complete(
                upload_id,
                crc32c=join((chunk.crc32c, chunk.size) for chunk in chunks),
                size=sum(chunk.size for chunk in chunks),
                now=self._expiry_clock.now(),
            )
        self._publish_completed(upload)
        return upload

    def _publish_repeated(self, batch: Sequence[WrittenChunk], stored: Collection[int]) -> None:
        """Publish the chunks of a batch that are not among those just stored, by object id."""
        for writer, chunk in batch:
            if id(chunk) not in stored:
                self._events.publish(ChunkRepeated(upload_id=writer.file.upload.id, size=chunk.size))

    def _publish_completed(self, upload: Upload) -> None:
        self._events.publish(
            UploadCompleted(upload_id=upload.id, owner=upload.owner, size=upload.stored_bytes)
        )


def _files(batch: Sequence[WrittenChunk]) -> dict[str, OpenUpload]:
    return {writer.file.upload.id: writer.file for writer, _ in batch}


def _is_sent(written: WrittenChunk) -> bool:
    """Wait until a chunk is sent to the blob store; False if that failed."""
    writer, chunk = written
    sending = writer.sending(chunk.index)
    return not (sending and sending.exception())


def _is_stored(writer: UploadWriter, chunk: Chunk) -> bool:
    return writer.file.chunks.get(chunk.index) == chunk


def _rows(fresh: Sequence[WrittenChunk]) -> list[NewChunk]:
    """Rows of flushed chunks; one that completes its upload in order carries the checksum of the file."""
    stored: dict[str, dict[int, Chunk]] = {}
    rows = []
    for writer, chunk in fresh:
        file, upload = writer.file, writer.file.upload
        chunks = stored.setdefault(upload.id, dict(file.chunks))
        is_new = chunk.index not in chunks
        chunks[chunk.index] = chunk
        whole = None
        if is_new and len(chunks) == upload.total_chunks:
            in_order = [chunks[index] for index in range(upload.total_chunks)]
            if file.seal(in_order):
                whole = join((each.crc32c, each.size) for each in in_order)
        rows.append(NewChunk(upload_id=upload.id, epoch=writer.epoch, chunk=chunk, whole=whole))
    return rows
