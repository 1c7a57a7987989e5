"""The body of a PATCH, in the thread that receives it."""

import asyncio
import queue
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from facecli.api.offset_uploads import Body
from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.errors import ChecksumMismatch, FileTooLarge
from facecli.web.calls import WebCall
from facecli.web.tus.headers import Checksum

READ_AHEAD = 1024 * 1024  # bytes of a body that wait to be stored
MAX_CHECKED_BODY = 16 * 1024 * 1024  # bytes; a body with a checksum is held in memory until it is verified


class BodyReader:
    """Iterates over the parts of a body; ConnectionLost when the client is gone.

    While one part is stored the next ones arrive, up to READ_AHEAD; what has arrived by then is one part. The
    iterating thread bothers the event loop only when that waits for room, because each hop between them
    costs more than the bytes do.
    """

    def __init__(self, call: WebCall) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._arrived = queue.SimpleQueue[bytes | None]()  # None when nothing more will
        self._put = 0  # bytes into the queue
        self._taken = 0  # bytes out of it
        self._full = False  # whether the event loop waits for room
        self._room = asyncio.Event()
        self._receiving: asyncio.Task[None] | None = None
        self._complete = False
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        self._in_loop(self._begin)
        while (part := self._arrived.get()) is not None:
            parts, size = [part], len(part)
            with suppress(queue.Empty):
                while size < READ_AHEAD and (part := self._arrived.get_nowait()) is not None:
                    parts.append(part)
                    size += len(part)
            self._taken += size
            if self._full:
                self._in_loop(self._room.set)
            yield b"".join(parts) if len(parts) > 1 else parts[0]
            if part is None:
                break
        if not self._complete:
            raise ConnectionLost

    def close(self) -> None:
        """Stop waiting for the client."""
        self._closed = True
        if self._receiving:
            self._receiving.cancel()
        self._arrived.put(None)

    def _begin(self) -> None:
        if not self._closed:
            self._receiving = self._loop.create_task(self._receive())

    async def _receive(self) -> None:
        try:
            while not self._complete:
                message = await self._call.receive()
                if message["type"] != "http.request":
                    return
                self._complete = not message.get("more_body", False)
                if body := message.get("body", b""):
                    self._put += len(body)
                    self._arrived.put(body)
                await self._until_room()
        finally:
            self._arrived.put(None)

    async def _until_room(self) -> None:
        while not self._complete and self._put - self._taken >= READ_AHEAD:
            self._room.clear()
            self._full = True
            if self._put - self._taken >= READ_AHEAD:  # still, now that the other thread knows
                await self._room.wait()
            self._full = False

    def _in_loop(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # it has ended, and has closed this before
            self._loop.call_soon_threadsafe(function)


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
