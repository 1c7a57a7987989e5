"""The state of one file's upload."""

from collections.abc import Iterator, Sequence

from facecli.client.send_rate import SendRateLimiter
from facecli.client.source import Source
from facecli.client.transfers import FileToSend, SentUpload
from facecli.core.checksums import join
from facecli.core.errors import BytesDiffer, FacecliError
from facecli.uploads.upload import Chunk
from facecli.uploads.view import UploadView
from facecli.wire.frames import encode
from facecli.wire.generated import upload_service_pb2 as pb


class UploadState:
    """Tracks one file across streams: stored, sent and skipped chunks.

    `error` is set when this file failed; the others on the stream may still succeed.
    """

    def __init__(self, file: FileToSend, *, user: str, chunk_size: int, fresh: bool, started: float) -> None:
        self.file = file
        self.source = Source(file.path)
        self.request = pb.BeginUploadRequest(
            user_id=user,
            name=file.name,
            file_type=file.file_type,
            size=self.source.size,
            chunk_size=chunk_size,
            fingerprint=self.source.fingerprint(),
            fresh=fresh,
        )
        self.source.close()
        self.upload: UploadView | None = None
        self.error: FacecliError | None = None
        self.stored_bytes = 0
        self.breaks = 0
        self._started = started
        self._shown = False
        self._chunk_size = 1
        self._stored: dict[int, int] = {}
        self._sent: set[int] = set()
        self._skipped: dict[int, int] = {}
        self._bytes_sent = 0

    def begin(self, upload: UploadView, chunks: Sequence[Chunk]) -> None:
        """Resume from the chunks that the server has now."""
        if self.upload is None or self.upload.id != upload.id:
            self._sent.clear()
            self._skipped.clear()
            self.stored_bytes = upload.stored_bytes
        self.upload = upload
        self._chunk_size = upload.chunk_size
        self._stored = {chunk.index: chunk.crc32c for chunk in chunks}
        self.request.fresh = False
        self.stored(upload.stored_bytes)

    def show(self) -> None:
        """Start reporting progress, once."""
        if not self._shown:
            self._shown = True
            self.file.progress.begin(self.file.name, self.source.size, self.stored_bytes)

    def stored(self, total: int) -> bool:
        """Record the stored bytes; False when they are no more than before."""
        if total <= self.stored_bytes:
            return False
        self.stored_bytes = total
        if self._shown:
            self.file.progress.stored(total)
        return True

    def matches(self) -> bool:
        """Whether every stored chunk has the checksum of the local one."""
        return all(self._is_unchanged(index) for index in self._stored)

    def messages(self, limiter: SendRateLimiter) -> Iterator[bytes]:
        """Encoded frames of every chunk that is missing or differs.

        gRPC swallows errors raised by a request iterator, so they are stored in `error`.
        """
        assert self.upload
        upload_id, user = self.upload.id, self.request.user_id
        try:
            for index in range(self._chunks):
                if index in self._stored and self._is_unchanged(index):
                    continue
                if index == self._chunks - 1:
                    self.source.check_unchanged()
                for frame in self.source.frames(index, self._chunk_size, limiter):
                    yield encode(frame, upload_id=upload_id, user=user)
                    upload_id = user = ""
                    self._bytes_sent += len(frame.data)
                    self.file.progress.sent(frame.offset + len(frame.data))
                self._sent.add(index)
        except FacecliError as error:
            self.error = error

    def result(self, upload: UploadView, now: float) -> SentUpload:
        """The summary of the complete upload; BytesDiffer when the stored file differs from the local one."""
        self.source.check_unchanged()
        self.show()
        checksum = join(
            (self.source.checksum(i, self._chunk_size), self._length(i)) for i in range(self._chunks)
        )
        if upload.crc32c != checksum:
            raise BytesDiffer(
                f"{upload.name} is stored with crc32c {upload.crc32c or 0:08x}, the file has {checksum:08x}"
            )
        self.file.progress.verified()
        return SentUpload(
            file_url=upload.file_url,
            upload_id=upload.id,
            name=upload.name,
            size=self.source.size,
            crc32c=checksum,
            chunks=self._chunks,
            bytes_sent=self._bytes_sent,
            bytes_skipped=sum(self._skipped.values()),
            retries=self.breaks,
            seconds=round(now - self._started, 3),
        )

    @property
    def _chunks(self) -> int:
        return -(-self.source.size // self._chunk_size)

    def _is_unchanged(self, index: int) -> bool:
        """Whether the stored chunk equals the local one; such a chunk counts as skipped unless we sent it."""
        if self.source.checksum(index, self._chunk_size) != self._stored[index]:
            return False
        if index not in self._sent:
            self._skipped[index] = self._length(index)
        return True

    def _length(self, index: int) -> int:
        return min(self._chunk_size, self.source.size - index * self._chunk_size)
