"""The body of a PATCH, in the thread that receives it, and cut into frames that stay within their chunks."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

from facecli.api.upload_pipeline import ConnectionLost
from facecli.uploads.upload import Frame
from facecli.web.calls import WebCall


class BodyReader:
    """Iterates over the parts of a body as they arrive; ConnectionLost when the client or the call is gone."""

    def __init__(self, call: WebCall) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._waiting: Future[Any] | None = None
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        more = True
        while more:
            self._waiting = asyncio.run_coroutine_threadsafe(self._call.receive(), self._loop)
            if self._closed:
                self._waiting.cancel()
            try:
                message = self._waiting.result()
            except CancelledError:
                raise ConnectionLost from None
            if message["type"] != "http.request":
                raise ConnectionLost
            more = message.get("more_body", False)
            if body := message.get("body", b""):
                yield body

    def close(self) -> None:
        """Stop waiting for the client."""
        self._closed = True
        if self._waiting:
            self._waiting.cancel()


class FrameItem:
    """A frame whose length is its size in bytes."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame.data)


def frames(parts: Iterator[bytes], *, offset: int, chunk_size: int) -> Iterator[FrameItem]:
    """The bytes of a body from this offset of the file on."""
    for part in parts:
        data = memoryview(part)
        while data:
            room = chunk_size - offset % chunk_size
            piece, data = bytes(data[:room]), data[room:]
            yield FrameItem(Frame(offset=offset, data=piece))
            offset += len(piece)
