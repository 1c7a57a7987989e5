"""A part on its way to S3: kept in memory while it is written, then sent in the background."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Protocol

from facecli.blobs.s3.pieces import Piece
from facecli.blobs.s3.tokens import Home, Spare, Token


class PartsOwner(Protocol):
    """The staged blob that a part belongs to."""

    @property
    def upload(self) -> str: ...

    def reserve(self, cancelled: Callable[[], bool]) -> bool:
        """Wait for the place of a request; False once `cancelled`."""
        ...

    def free_place(self) -> None:
        """Give back the place of a request that is not sent."""
        ...

    def end_waits(self) -> None:
        """Look again whether waits for a place are cancelled."""
        ...

    def send(self, writer: "S3PartWriter", token: Token, pieces: Sequence[Piece]) -> "Future[None]":
        """Send a finished part in the background, in a place that was reserved for it."""
        ...

    def settle(self, writer: "S3PartWriter", *, unused: Token | None) -> None:
        """End a part; what is at the token `unused` is freed."""
        ...

    def free(self, token: Token) -> None:
        """Free what is at this token, if it is an object of its own."""
        ...


class S3PartWriter:
    """A PartWriter; `replaces` is the token of the part before.

    The wait for a place holds no lock, so that others can end the part meanwhile.
    """

    def __init__(self, blob: PartsOwner, index: int, *, replaces: Token | None) -> None:
        self._blob = blob
        self._lock = threading.Lock()
        self._ended = False  # aborted, abandoned or revoked: it needs no place
        self._reserved = False
        self._pieces: list[Piece] = []
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._replaces = replaces
        self._token: Token | None = None
        self.index = index
        self._request: Future[None] | None = None
        self.sending: Future[None] | None = None  # ends with the request, or when the part does

    @property
    def token(self) -> str | None:
        return None if self._token is None else str(self._token)

    def write(self, data: bytes | memoryview) -> None:
        with self._lock:
            if not self._ended:
                self._pieces.append(data)
                self._md5.update(data)

    def reserve(self) -> None:
        if self._reserved or not self._blob.reserve(lambda: self._ended):
            return
        with self._lock:
            if not self._ended:
                self._reserved = True
                return
        self._blob.free_place()

    def finish(self) -> str | None:
        self.reserve()
        with self._lock:
            if not self._reserved:
                return None
            self._reserved = False
            pieces, self._pieces = self._pieces, []
            md5 = self._md5.hexdigest()
            if self._replaces is None:
                token: Token = Home(self.index + 1, md5, self._blob.upload)
            else:
                token = Spare.new(md5, self.index)
            self._request = self._blob.send(self, token, pieces)
            self._token = token
            sending = self.sending = Future[None]()
            self._request.add_done_callback(lambda request: _end_wait(sending, request.exception()))
            return str(token)

    def commit(self) -> None:
        self._blob.settle(self, unused=self._replaces)

    def abort(self) -> None:
        self._end()
        self._blob.settle(self, unused=self._token)

    def abandon(self) -> None:
        self._end()

    def revoke(self) -> None:
        """Send nothing more; an object that replaces a part is deleted."""
        self._end()
        with self._lock:
            unused, self._token = self._token, None
        if unused:
            if self._request:
                self._request.exception()  # what it sends must not arrive after it is freed
            self._blob.free(unused)

    def _end(self) -> None:
        """Free the memory and the place of a part that is not sent, and end all waits for it."""
        with self._lock:
            self._ended = True
            self._pieces.clear()
            reserved, self._reserved = self._reserved, False
        if reserved:
            self._blob.free_place()
        else:
            self._blob.end_waits()
        if self.sending:
            _end_wait(self.sending, None)


def _end_wait(sending: "Future[None]", error: BaseException | None) -> None:
    """End a wait that has not ended."""
    with suppress(InvalidStateError):
        if error:
            sending.set_exception(error)
        else:
            sending.set_result(None)
