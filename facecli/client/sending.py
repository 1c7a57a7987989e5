"""One file on its way: what is stored, what was sent, what was skipped."""

from collections.abc import Iterator, Sequence

from facecli.client.source import Source
from facecli.core.checksums import join
from facecli.core.errors import BytesDiffer, FacecliError
from facecli.core.progress import TransferProgress
from facecli.core.transfers import Patience, SentUpload
from facecli.core.uploads import Chunk, Frame, Upload


class Sending:
    """Lives through all the streams that one upload takes."""

    def __init__(self, source: Source, progress: TransferProgress, patience: Patience) -> None:
        self.progress = progress
        self.stored_bytes = 0
        self.error: FacecliError | None = None
        self._source = source
        self._patience = patience
        self._upload_id = ""
        self._chunk_size = 1
        self._stored: dict[int, int] = {}
        self._sent: set[int] = set()
        self._skipped: dict[int, int] = {}
        self._bytes_sent = 0

    def begin(self, upload: Upload, chunks: Sequence[Chunk]) -> None:
        """Go on from what the server has now."""
        self._chunk_size = upload.chunk_size
        self._stored = {chunk.index: chunk.crc32c for chunk in chunks}
        self.error = None
        if self._upload_id != upload.id:
            self._upload_id = upload.id
            self._sent.clear()
            self._skipped.clear()
            self.stored_bytes = upload.stored_bytes
            self.progress.begin(upload.name, self._source.size, upload.stored_bytes)
        self.stored(upload.stored_bytes)

    @property
    def begun(self) -> bool:
        return bool(self._upload_id)

    def stored(self, total: int) -> None:
        if total > self.stored_bytes:
            self.stored_bytes = total
            self._patience.progressed()
            self.progress.stored(total)

    def matches(self) -> bool:
        """Whether every stored chunk is this file's; reads what was not read yet."""
        return all(self._skip(index) for index in self._stored)

    def frames(self) -> Iterator[Frame]:
        """What is missing or different. gRPC swallows what an iterator raises, so it is kept in `error`."""
        try:
            for index in range(-(-self._source.size // self._chunk_size)):
                if index in self._stored and self._skip(index):
                    continue
                for frame in self._source.frames(index, self._chunk_size):
                    yield frame
                    self._bytes_sent += len(frame.data)
                self._sent.add(index)
        except FacecliError as error:
            self.error = error

    def result(self, upload: Upload, seconds: float) -> SentUpload:
        """What happened, once the upload is complete; BytesDiffer when the whole is not this file."""
        self._source.check_unchanged()
        chunks = range(-(-self._source.size // self._chunk_size))
        checksum = join((self._source.checksum(i, self._chunk_size), self._length(i)) for i in chunks)
        if upload.crc32c != checksum:
            raise BytesDiffer(
                f"{upload.name} is stored with crc32c {upload.crc32c or 0:08x}, the file has {checksum:08x}"
            )
        self.progress.verified()
        return SentUpload(
            file_url=upload.file_url,
            upload_id=upload.id,
            name=upload.name,
            size=self._source.size,
            crc32c=checksum,
            chunks=len(chunks),
            bytes_sent=self._bytes_sent,
            bytes_skipped=sum(self._skipped.values()),
            retries=self._patience.tries,
            seconds=round(seconds, 3),
        )

    def _skip(self, index: int) -> bool:
        if self._source.checksum(index, self._chunk_size) != self._stored[index]:
            return False
        if index not in self._sent:
            self._skipped[index] = self._length(index)
        return True

    def _length(self, index: int) -> int:
        return min(self._chunk_size, self._source.size - index * self._chunk_size)
