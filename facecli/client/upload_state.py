"""The state of one file's upload."""

from collections.abc import Callable, Iterator, Sequence

from facecli.client.calls.send_window import SendWindow
from facecli.client.send_rate import SendRateLimiter
from facecli.client.source import Source
from facecli.client.transfers import FileToSend, SentUpload
from facecli.core.checksums import join
from facecli.core.errors import BytesDiffer, FacecliError, TakenOver, UnexpectedResponse
from facecli.uploads.upload import MAX_CHUNK_SIZE, MAX_CHUNKS, Chunk
from facecli.uploads.view import UploadAcknowledgement, UploadView
from facecli.wire.frames import encode
from facecli.wire.generated import upload_service_pb2 as pb

MAX_BEGINS = 5  # uploads of one file; a new one follows when the server has lost or completed the old one


TAKEOVER_TIMEOUT = 10.0  # seconds without progress; twice as many after every takeover


class UploadState:
    """Tracks one file across streams: stored, sent and skipped chunks.

    `error` is set when this file failed; the others on the stream may still succeed. `left_for` is set while
    the upload is left to another client, which has taken it over.
    """

    def __init__(
        self,
        file: FileToSend,
        *,
        user: str,
        chunk_size: int,
        fresh: bool,
        clock: Callable[[], float],
    ) -> None:
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
        self.left_for: TakenOver | None = None
        self.stored_bytes = 0
        self.breaks = 0
        self._clock = clock
        self._started = clock()
        self._left_until = 0.0
        self._takeover_timeout = TAKEOVER_TIMEOUT / 2
        self._shown = False
        self._chunk_size = 1
        self._stored: dict[int, int] = {}
        self._sent: set[int] = set()
        self._skipped: dict[int, int] = {}
        self._bytes_sent = 0
        self._begins = 0  # uploads that the server has begun for this file
        self._is_fresh = False  # whether the current upload was begun to start over
        self._offered = set[int]()  # chunks sent on the current stream, or being sent
        self._acknowledged_bytes = 0  # on the current stream

    def begin(self, upload: UploadView, chunks: Sequence[Chunk]) -> bool:
        """Resume from the chunks that the server has now; true if the other client has stored some of them.

        UnexpectedResponse if they are not of this file.
        """
        self._check(upload, chunks)
        if self.upload is None or self.upload.id != upload.id:
            self._begins += 1
            if self._begins > MAX_BEGINS:
                raise UnexpectedResponse(f"a new upload ID for {self.file.name} every time")
            self._sent.clear()
            self._skipped.clear()
            self.stored_bytes = upload.stored_bytes
        self.upload = upload
        self._chunk_size = upload.chunk_size
        self._stored = {chunk.index: chunk.crc32c for chunk in chunks}
        self._offered = set()
        self._acknowledged_bytes = 0
        self._is_fresh, self.request.fresh = self.request.fresh, False
        advanced = self.stored(upload.stored_bytes) and self.left_for is not None
        if advanced:
            self._left_until = self._clock() + self._takeover_timeout
        elif self._clock() >= self._left_until:
            self.left_for = None
        return advanced

    def leave(self, error: TakenOver) -> None:
        """Leave the upload to another client until that has made no progress for a while.

        Two clients that take turns end up with a timeout that is longer than a chunk takes.
        """
        self.left_for = error
        self._takeover_timeout *= 2
        self._left_until = self._clock() + self._takeover_timeout

    def start_over(self) -> None:
        """Ask for a new upload: the complete one has other bytes. BytesDiffer if it was a new one."""
        if self._is_fresh:
            self.error = BytesDiffer(f"the server stores other bytes of {self.file.name} than the file has")
        self.request.fresh = True

    def show(self) -> None:
        """Start reporting progress, once."""
        if not self._shown:
            self._shown = True
            self.file.progress.begin(self.file.name, self.source.size, self.stored_bytes)

    def acknowledged(self, answer: UploadAcknowledgement) -> bool:
        """Record an acknowledgement; true if more is stored than ever before.

        UnexpectedResponse for a chunk that was not sent, and for stored bytes that are too many or decrease.
        """
        total = answer.stored_bytes
        if answer.chunk_index not in self._offered:
            raise UnexpectedResponse(f"an acknowledgement of chunk {answer.chunk_index}, which was not sent")
        if not self._acknowledged_bytes <= total <= self.source.size:
            raise UnexpectedResponse(
                f"{total} stored bytes of {self.file.name}, which has {self.source.size} bytes, "
                f"after {self._acknowledged_bytes}"
            )
        self._acknowledged_bytes = total
        if answer.completed and answer.crc32c is None:
            raise UnexpectedResponse(f"no checksum of {self.file.name}")
        return self.stored(total)

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

    def messages(self, limiter: SendRateLimiter, window: SendWindow) -> Iterator[bytes]:
        """Encoded frames of every chunk that is missing or differs, each chunk when the window allows it.

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
                window.wait()
                self._offered.add(index)
                for frame in self.source.frames(index, self._chunk_size, limiter):
                    if frame.chunk_crc32c is not None:
                        window.sending_end((self.upload.id, index))
                    yield encode(frame, upload_id=upload_id, user=user)
                    upload_id = user = ""
                    self._bytes_sent += len(frame.data)
                    self.file.progress.sent(frame.offset + len(frame.data))
                self._sent.add(index)
        except FacecliError as error:
            self.error = error

    def result(self, upload: UploadView) -> SentUpload:
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
            seconds=round(self._clock() - self._started, 3),
        )

    def _check(self, upload: UploadView, chunks: Sequence[Chunk]) -> None:
        size, chunk_size = self.source.size, upload.chunk_size
        if upload.size != size:
            raise UnexpectedResponse(
                f"an upload of {upload.size or 0} bytes for {self.file.name}, which has {size}"
            )
        if not 0 < chunk_size <= MAX_CHUNK_SIZE or -(-size // chunk_size) > MAX_CHUNKS:
            raise UnexpectedResponse(f"an impossible chunk size for {size} bytes: {chunk_size}")
        count = -(-size // chunk_size)
        for chunk in chunks:
            if chunk.index >= count or chunk.size != min(chunk_size, size - chunk.index * chunk_size):
                raise UnexpectedResponse(f"an impossible chunk: {chunk.index} with {chunk.size} bytes")

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
