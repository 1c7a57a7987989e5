"""The download client: fetches files, verifies them, and reads the server's information."""

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from facecli.api.server_info import ServerInfo
from facecli.client.calls.response_stream import ResponseStream
from facecli.client.calls.stall_watch import stall_limit
from facecli.client.calls.unary import UnaryCalls
from facecli.client.context import ClientContext
from facecli.client.destination import Destination
from facecli.client.output import keep_mode, write_through
from facecli.client.part_file import awaited_part_file, check_room
from facecli.core.backoff import RetryBudget
from facecli.core.checksums import crc32c, crc32c_of
from facecli.core.disk import flush
from facecli.core.errors import (
    AlreadyExists,
    BytesDiffer,
    DirectoryInUse,
    IdleTooLong,
    InvalidInput,
    LimitReached,
    Unauthenticated,
    Unavailable,
)
from facecli.core.progress import TransferProgress
from facecli.core.writeback import EarlyWriteback
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc

MAX_SECONDS = 2**31 - 1  # of a lifetime on the wire
SMALL_PARTS = 2000  # of a download may be smaller than this many bytes on average, so that it ends:
MIN_PART = 1024

_RETRYABLE = (Unavailable, LimitReached, IdleTooLong)


class DownloadClient:
    """Downloads files, resuming after every break."""

    def __init__(self, context: ClientContext) -> None:
        self._stub = pb_grpc.FileServiceStub(context.connection.channel)
        self._context = context
        self._connection = context.connection

    def info(self) -> ServerInfo:
        request = pb.GetServerInfoRequest(user_id=self._context.user)
        return UnaryCalls(self._connection).call(self._stub.GetServerInfo, request, wire.info_from_message)

    def link(self, url: str, *, expires_in: float) -> tuple[str, float]:
        """A URL by which anybody can download a file, and when it expires, in seconds since 1970."""
        seconds = min(int(expires_in), MAX_SECONDS)
        request = pb.CreateLinkRequest(user_id=self._context.user, url=url, expires_seconds=seconds)
        return UnaryCalls(self._connection).call(self._stub.CreateLink, request, wire.link_from_message)

    def describe(self, url: str) -> wire.Promise:
        """The size and checksum of a file, without its bytes."""
        request = pb.DownloadRequest(user_id=self._context.user, url=url)
        call = self._stub.Download(
            request,
            timeout=self._connection.deadline.limited(self._connection.call_timeout),
            metadata=self._connection.metadata,
        )
        limit = stall_limit(self._connection.call_timeout, self._connection.call_timeout)
        with ResponseStream(call, wire.part_from_message, connection=self._connection, limit=limit) as stream:
            for answer in stream:
                if answer.promise:
                    return answer.promise
        raise Unavailable(f"the server did not describe {url}")

    def download_to(
        self, url: str, target: Destination, *, retry_for: float, progress: TransferProgress
    ) -> int:
        """Download to a destination; a stream gets its first byte when the whole file is verified.

        AlreadyExists if another command has made another file there meanwhile.
        """
        if not target.stream:
            return self._download_file(url, target, retry_for=retry_for, progress=progress)
        with tempfile.TemporaryDirectory(prefix="facecli-") as folder:
            file = Path(folder) / "result"
            size = self.download(url, file, retry_for=retry_for, progress=progress)
            write_through(file, target)
        return size

    def download(self, url: str, target: Path, *, retry_for: float, progress: TransferProgress) -> int:
        """Download to `target`, all or nothing; returns the size in bytes.

        Resumes from what an earlier attempt left in `<target>.part`. BytesDiffer when the bytes do not have
        the checksum that the server promised, even after starting over.
        """
        destination = Destination(shown=str(target), path=target)
        return self._download_file(url, destination, retry_for=retry_for, progress=progress)

    def _download_file(
        self, url: str, target: Destination, *, retry_for: float, progress: TransferProgress
    ) -> int:
        """Wait for another command that downloads the same file, and do what it has left."""
        retry_budget = self._context.retry_budget(retry_for)
        waited = False

        def wait(error: DirectoryInUse, advanced: bool) -> bool:
            nonlocal waited
            waited = True
            if advanced:
                retry_budget.progressed()
            return retry_budget.wait(error, progress.waiting)

        path = target.path
        with awaited_part_file(path, wait) as part:
            if target.exists and (waited or not target.replaces):
                promise = self.describe(url)
                if target.holds(size=promise.size, crc32c=promise.crc32c):
                    return promise.size
                if not target.replaces:
                    raise AlreadyExists(f"another command has made {target.shown}, which is different")
            download = _Download(
                url=url,
                name=path.name,
                part=part,
                progress=progress,
                retry_budget=retry_budget,
                stall_limit=stall_limit(retry_for, self._connection.call_timeout),
            )
            size = self._complete(download)
            part.flush()
            keep_mode(part, path)
            os.fsync(part.fileno())
            Path(part.name).replace(path)
            flush(path.parent)
        return size

    def _complete(self, download: "_Download") -> int:
        """Fetch until the part file is whole and verified; returns its size."""
        part = download.part
        resumed = part.seek(0, os.SEEK_END) > 0
        while True:
            try:
                promise = self._fetch(download)
            except Unauthenticated:
                if not self._connection.has_new_token():
                    raise
                continue
            except InvalidInput:
                # A part file longer than the file belongs to another file.
                if not resumed or download.promise:
                    raise
                part.truncate(0)
                resumed = False
                continue
            except _RETRYABLE as error:
                if not error.retryable or not download.retry_budget.wait(error, download.progress.waiting):
                    raise
                continue
            if download.crc32c == promise.crc32c:
                download.progress.verified()
                return promise.size
            part.truncate(0)
            if not resumed:
                raise BytesDiffer(f"{download.url} arrived with other bytes than the server promised")
            resumed = False

    def _fetch(self, download: "_Download") -> wire.Promise:
        """Append the missing bytes; returns what the server promised of the whole file."""
        offset = begin = download.resume()
        request = pb.DownloadRequest(user_id=self._context.user, url=download.url, offset=offset)
        call = self._stub.Download(
            request, timeout=self._connection.deadline.left(), metadata=self._connection.metadata
        )
        download.promise = promise = None
        with ResponseStream(
            call, wire.part_from_message, connection=self._connection, limit=download.stall_limit
        ) as stream:
            for number, answer in enumerate(stream):
                if answer.data and number > SMALL_PARTS + (offset - begin) // MIN_PART:
                    raise self._connection.unexpected(f"a download in parts of less than {MIN_PART} bytes")
                if answer.promise and promise is None:
                    download.promise = promise = answer.promise
                    check_room(download.part, download.name, promise.size - offset)
                    download.progress.begin(download.name, promise.size, min(offset, promise.size))
                if promise is None or answer.promise not in {None, promise}:
                    raise self._connection.unexpected("a download whose size and checksum are unclear")
                if offset + len(answer.data) > promise.size:
                    raise self._connection.unexpected(
                        f"more than the {promise.size} bytes of {download.name}"
                    )
                offset += len(answer.data)
                if download.append(answer.data):
                    stream.progressed()
                download.progress.stored(offset)
        if promise is None:
            raise Unavailable(f"the download of {download.name} ended before it began")
        if offset < promise.size:
            raise Unavailable(f"the download of {download.name} ended early")
        return promise


class _Download:
    """One download in progress. `crc32c` is the checksum of the part file."""

    def __init__(
        self,
        *,
        url: str,
        name: str,
        part: BinaryIO,
        progress: TransferProgress,
        retry_budget: RetryBudget,
        stall_limit: float,
    ) -> None:
        self.url = url
        self.name = name
        self.part = part
        self.progress = progress
        self.retry_budget = retry_budget
        self.stall_limit = stall_limit
        self.promise: wire.Promise | None = None  # of the current try
        self.crc32c = 0
        self._size = 0  # bytes that `crc32c` covers
        self._furthest = part.seek(0, os.SEEK_END)
        self._writeback = EarlyWriteback(part.fileno(), self._furthest)

    def resume(self) -> int:
        """Return the size of the part file; compute the checksum of what an earlier command left in it."""
        size = self.part.seek(0, os.SEEK_END)
        if size != self._size:
            self.part.seek(0)
            self.crc32c, self._size = crc32c_of(self.part), size
        return size

    def append(self, data: bytes) -> bool:
        """Write the bytes that have arrived; true, and progress, if there were never as many."""
        self.part.write(data)
        self.crc32c = crc32c(data, self.crc32c)
        self._size += len(data)
        self._writeback.written(self._size)
        if self._size <= self._furthest:
            return False
        self._furthest = self._size
        self.retry_budget.progressed()
        return True
