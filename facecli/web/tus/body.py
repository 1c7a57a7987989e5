"""The body of a PATCH, in the thread that receives it."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

from facecli.api.offset_uploads import Body
from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.errors import ChecksumMismatch, FileTooLarge
from facecli.web.calls import WebCall
from facecli.web.tus.headers import Checksum

MAX_CHECKED_BODY = 16 * 1024 * 1024  # bytes; a body with a checksum is held in memory until it is verified


class BodyReader:
    """Iterates over the parts of a body as they arrive; ConnectionLost when the client is gone.

    The next part is asked for before the last one is returned, so that it arrives while that is stored.
    """

    def __init__(self, call: WebCall) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._next: Future[Any] | None = None
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        asked = self._ask()
        while True:
            try:
                message = asked.result()
            except CancelledError:
                raise ConnectionLost from None
            if message["type"] != "http.request":
                raise ConnectionLost
            if more := message.get("more_body", False):
                asked = self._ask()
            if body := message.get("body", b""):
                yield body
            if not more:
                return

    def _ask(self) -> "Future[Any]":
        asked = self._next = asyncio.run_coroutine_threadsafe(self._call.receive(), self._loop)
        if self._closed:
            asked.cancel()
        return asked

    def close(self) -> None:
        """Stop waiting for the client."""
        self._closed = True
        if self._next:
            self._next.cancel()


def checked_body(parts: Iterable[bytes], checksum: Checksum | None) -> Body:
    """A body whose bytes go nowhere before its checksum, if it has one, was right."""
    if checksum is None:
        return Body(parts=parts)
    return Body(parts=_verified(parts, checksum), first=MAX_CHECKED_BODY)


def _verified(parts: Iterable[bytes], checksum: Checksum) -> Iterator[bytes]:
    held = bytearray()
    for part in parts:
        held += part
        if len(held) > MAX_CHECKED_BODY:
            raise FileTooLarge(
                f"a body with Upload-Checksum has at most {MAX_CHECKED_BODY} bytes; send it in parts"
            )
    body = bytes(held)
    if not checksum.fits(body):
        raise ChecksumMismatch("the body does not match its Upload-Checksum and was discarded; send it again")
    if body:
        yield body
