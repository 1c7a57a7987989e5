"""A part on its way to S3: kept in memory while it is written, then sent by one of a few threads."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from facecli.blobs.s3.pieces import Piece
from facecli.blobs.s3.tokens import Home, Spare, Token

SENDERS = 8
MAX_SENDING = 12  # finished parts in memory, of 16 MiB at most; further ones wait


class PartSender:
    """Sends parts of all blobs of a store."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="s3")
        self._room = threading.BoundedSemaphore(MAX_SENDING)

    def send(self, request: Callable[[], None]) -> "Future[None]":
        """Send in the background; waits for room first."""
        self._room.acquire()
        try:
            sent = self._pool.submit(request)
        except BaseException:
            self._room.release()
            raise
        sent.add_done_callback(lambda _: self._room.release())
        return sent


class PartsOwner(Protocol):
    """The staged blob that a part belongs to."""

    @property
    def upload(self) -> str: ...

    def send(self, writer: "S3PartWriter", token: Token, pieces: Sequence[Piece]) -> "Future[None]":
        """Send a finished part in the background."""
        ...

    def settle(self, writer: "S3PartWriter", *, unused: Token | None) -> None:
        """End a part; what is at the token `unused` is freed."""
        ...

    def free(self, token: Token) -> None:
        """Free what is at this token, if it is an object of its own."""
        ...


class S3PartWriter:
    """A PartWriter; `replaces` is the token of the part before."""

    def __init__(self, blob: PartsOwner, index: int, *, replaces: Token | None) -> None:
        self._blob = blob
        self._lock = threading.Lock()
        self._revoked = False
        self._pieces: list[Piece] = []
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._replaces = replaces
        self._token: Token | None = None
        self.index = index
        self.sending: Future[None] | None = None

    @property
    def token(self) -> str | None:
        return None if self._token is None else str(self._token)

    def write(self, data: bytes | memoryview) -> None:
        with self._lock:
            if not self._revoked:
                self._pieces.append(data)
                self._md5.update(data)

    def finish(self) -> str | None:
        with self._lock:
            if self._revoked:
                return None
            pieces, self._pieces = self._pieces, []
            md5 = self._md5.hexdigest()
            if self._replaces is None:
                token: Token = Home(self.index + 1, md5, self._blob.upload)
            else:
                token = Spare.new(md5, self.index)
            self.sending = self._blob.send(self, token, pieces)
            self._token = token
            return str(token)

    def commit(self) -> None:
        self._blob.settle(self, unused=self._replaces)

    def abort(self) -> None:
        self._pieces.clear()
        self._blob.settle(self, unused=self._token)

    def abandon(self) -> None:
        self._pieces.clear()

    def revoke(self) -> None:
        """Send nothing more; an object that replaces a part is deleted."""
        with self._lock:
            self._revoked = True
            unused, self._token = self._token, None
            self._pieces.clear()
        if unused:
            self._blob.free(unused)
