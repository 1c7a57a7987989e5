"""The download client: fetches files, verifies them, and reads the server's information."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facecli.api.server_info import ServerInfo
from facecli.client.context import ClientContext
from facecli.client.destination import Destination
from facecli.client.output import check_space, keep_mode, write_through
from facecli.client.part_file import open_part_file
from facecli.core.backoff import RetryBudget
from facecli.core.checksums import crc32c_of
from facecli.core.disk import flush
from facecli.core.errors import (
    BytesDiffer,
    Cancelled,
    IdleTooLong,
    InvalidInput,
    TimedOut,
    TooManyCalls,
    Unauthenticated,
    Unavailable,
)
from facecli.core.progress import TransferProgress
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc

# The server cancels the call of a client that seems to read nothing.
_RETRYABLE = (Unavailable, TimedOut, TooManyCalls, IdleTooLong, Cancelled)


class DownloadClient:
    """Downloads files, resuming after every break."""

    def __init__(self, context: ClientContext) -> None:
        self._stub = pb_grpc.FileServiceStub(context.connection.channel)
        self._context = context
        self._connection = context.connection

    def info(self) -> ServerInfo:
        request = pb.GetServerInfoRequest(user_id=self._context.user)
        return wire.info_from_message(self._connection.call(self._stub.GetServerInfo, request))

    def describe(self, url: str) -> tuple[int, int]:
        """The size and checksum of a file, without its bytes."""
        request = pb.DownloadRequest(user_id=self._context.user, url=url)
        call = self._stub.Download(request, metadata=self._connection.metadata)
        try:
            with self._connection.translated_errors():
                for answer in call:
                    return answer.size, answer.crc32c
        finally:
            call.cancel()
        raise Unavailable(f"the server did not describe {url}")

    def download_to(
        self, url: str, target: Destination, *, retry_for: float, progress: TransferProgress
    ) -> int:
        """Download to a destination; a stream gets its first byte when the whole file is verified."""
        if not target.stream:
            return self.download(url, target.path, retry_for=retry_for, progress=progress)
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
        with open_part_file(target) as part:
            download = _Download(
                url=url,
                name=target.name,
                part=part,
                progress=progress,
                retry_budget=self._context.retry_budget(retry_for),
            )
            size = self._complete(download)
            part.flush()
            keep_mode(part, target)
            os.fsync(part.fileno())
            Path(part.name).replace(target)
            flush(target.parent)
        return size

    def _complete(self, download: "_Download") -> int:
        """Fetch until the part file is whole and verified; returns its size."""
        part = download.part
        resumed = part.seek(0, os.SEEK_END) > 0
        while True:
            try:
                size, promised = self._fetch(download)
            except Unauthenticated:
                if not self._connection.has_new_token():
                    raise
                continue
            except _RETRYABLE as error:
                if not download.retry_budget.wait(error, download.progress.waiting):
                    raise
                continue
            part.seek(0)
            if crc32c_of(part) == promised:
                download.progress.verified()
                return size
            part.truncate(0)
            if not resumed:
                raise BytesDiffer(f"{download.url} arrived with other bytes than the server promised")
            resumed = False

    def _fetch(self, download: "_Download") -> tuple[int, int]:
        """Append the missing bytes; returns the size and checksum that the server promised."""
        part, progress = download.part, download.progress
        offset = part.seek(0, os.SEEK_END)
        request = pb.DownloadRequest(user_id=self._context.user, url=download.url, offset=offset)
        call = self._stub.Download(request, metadata=self._connection.metadata)
        size = promised = 0
        try:
            with self._connection.translated_errors():
                for answer in call:
                    if answer.HasField("crc32c"):
                        size, promised = answer.size, answer.crc32c
                        check_space(Path(part.name).parent, size - offset)
                        progress.begin(download.name, size, offset)
                    offset += part.write(answer.data)
                    download.retry_budget.progressed()
                    progress.stored(offset)
        except InvalidInput:
            # A part file longer than the file belongs to another file.
            if not offset:
                raise
            part.truncate(0)
            raise Unavailable("starting over") from None
        finally:
            call.cancel()
        if offset < size:
            raise Unavailable(f"the download of {download.name} ended early")
        return size, promised


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    """One download in progress."""

    url: str
    name: str
    part: BinaryIO
    progress: TransferProgress
    retry_budget: RetryBudget
