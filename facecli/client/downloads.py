"""Downloads results, verified, and asks what a server offers."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from facecli.api.server_info import ServerInfo
from facecli.client.connection import Connection
from facecli.core.backoff import RetryBudget
from facecli.core.checksums import crc32c_of
from facecli.core.disk import flush
from facecli.core.errors import (
    BytesDiffer,
    Cancelled,
    DirectoryInUse,
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

# A server that finds that we take nothing cancels the call.
_BREAKS = (Unavailable, TimedOut, TooManyCalls, IdleTooLong, Cancelled)


class FileClient:
    def __init__(
        self,
        connection: Connection,
        *,
        user: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._stub = pb_grpc.FileServiceStub(connection.channel)
        self._connection = connection
        self._user = user
        self._clock = clock
        self._sleep = sleep

    def info(self) -> ServerInfo:
        request = pb.GetServerInfoRequest(user_id=self._user)
        return wire.info_from_message(self._connection.call(self._stub.GetServerInfo, request))

    def download(self, url: str, target: Path, *, retry_for: float, progress: TransferProgress) -> int:
        """Write the file to `target`, whole or not at all; its size in bytes.

        What an earlier try left in `target`.part is gone on with. BytesDiffer when the bytes are not what
        the server promised, also after beginning again.
        """
        retry_budget = RetryBudget(retry_for, clock=self._clock, sleep=self._sleep)
        with _part(target) as part:
            size = self._complete(url, part, retry_budget, progress, target.name)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(target)
            flush(target.parent)
        return size

    def _complete(
        self, url: str, part: BinaryIO, retry_budget: RetryBudget, progress: TransferProgress, name: str
    ) -> int:
        resumed = part.seek(0, os.SEEK_END) > 0
        while True:
            try:
                size, promised = self._fetch(url, part, retry_budget, progress, name)
            except Unauthenticated:
                if not self._connection.renewed():
                    raise
                continue
            except _BREAKS as error:
                if not retry_budget.wait(error, progress.waiting):
                    raise
                continue
            part.seek(0)
            if crc32c_of(part) == promised:
                progress.verified()
                return size
            part.truncate(0)
            if not resumed:
                raise BytesDiffer(f"{url} arrived with other bytes than the server promised")
            resumed = False

    def _fetch(
        self, url: str, part: BinaryIO, retry_budget: RetryBudget, progress: TransferProgress, name: str
    ) -> tuple[int, int]:
        """Append what is missing; the size and the checksum that the server promised."""
        have = part.seek(0, os.SEEK_END)
        request = pb.DownloadRequest(user_id=self._user, url=url, offset=have)
        call = self._stub.Download(request, metadata=self._connection.metadata)
        size = promised = 0
        try:
            with self._connection.calling():
                for answer in call:
                    if answer.HasField("crc32c"):
                        size, promised = answer.size, answer.crc32c
                        progress.begin(name, size, have)
                    have += part.write(answer.data)
                    retry_budget.progressed()
                    progress.stored(have)
        except InvalidInput:
            # A part that is longer than the file is not of this file.
            if not have:
                raise
            part.truncate(0)
            raise Unavailable("beginning again") from None
        finally:
            call.cancel()
        if have < size:
            raise Unavailable(f"the download of {name} ended early")
        return size, promised


@contextmanager
def _part(target: Path) -> Iterator[BinaryIO]:
    """The file beside `target` that collects the bytes, ours alone."""
    path = target.with_name(target.name + ".part")
    if target.is_dir():
        raise InvalidInput(f"{target} is a directory; name a file")
    try:
        with _alone(path) as file:
            try:
                yield file
            finally:
                if path.exists() and not path.stat().st_size:
                    path.unlink()
    except OSError as error:  # also of a full disk, of which the last bytes are told when it is closed
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from error


def _alone(path: Path) -> BinaryIO:
    """The file of this name, which nobody else writes to."""
    while True:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("a+b"))
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DirectoryInUse(f"another facecli writes {path}") from error
            # Who had it may have finished between these two: then it is a result now, and no part.
            if _is_at(file, path):
                stack.pop_all()
                return file


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
