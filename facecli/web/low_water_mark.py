"""The receive low-water mark of a connection: how many bytes of a large body wake up the server.

Theory of operation: clients write 64 KiB at a time or less, and a wake-up costs more than such a write. While
a body arrives fast the mark (SO_RCVLOWAT) is therefore BATCH, otherwise one byte. It delays bytes and loses
none: the socket is readable at the end of the connection whatever the mark, a timer lowers it if BATCH bytes
have not arrived within WAIT_SECONDS, and it is one byte for the last bytes of a body. Measured with 500 MiB
by tus-js-client in Node: 0.46 s of CPU in place of 0.71 s. A batch of 512 KiB costs less, but takes longer:
the client fills it while the server waits.

With TLS the mark counts encrypted bytes, which are more than those of the body; a part of one record may
already have been read. A body of unknown length leaves the mark alone.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any

BATCH = 256 * 1024  # bytes
WINDOW = 4 * BATCH  # bytes that may arrive before they are read
WAIT_SECONDS = 0.05
MAX_RECORD = 17 * 1024  # bytes of TLS


class LowWaterMark:
    """`expect` begins a body, `received` counts its bytes, `lower` ends it early; `sock` is a socket."""

    def __init__(self, sock: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = sock
        self._loop = loop
        self._left = 0  # bytes of the body that have not arrived
        self._arrived = 0  # bytes in the current period
        self._began = 0.0  # of the current period, unless the mark is raised
        self._timer: asyncio.TimerHandle | None = None  # runs while the mark is raised

    def expect(self, length: int) -> None:
        """Raise the mark for a large body; `length` is in bytes, 0 if it is unknown."""
        self._left = length
        if length >= BATCH + MAX_RECORD:
            self._raise()

    def received(self, size: int) -> None:
        """Count bytes of the body; raise the mark if they arrive fast, lower it before the last ones."""
        self._left -= size
        self._arrived += size
        if self._left < BATCH + MAX_RECORD:
            self.lower()
        elif not self._timer:
            now = self._loop.time()
            if now - self._began > WAIT_SECONDS:
                self._began, self._arrived = now, size
            if self._arrived >= BATCH:
                self._raise()

    def lower(self) -> None:
        """Wake up for every byte."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self._set(1)

    def _raise(self) -> None:
        self._set(WINDOW)  # Linux makes the window of TCP as large as the largest mark so far
        self._set(BATCH)
        self._wait()

    def _wait(self) -> None:
        self._arrived = 0
        self._timer = self._loop.call_later(WAIT_SECONDS, self._check)

    def _check(self) -> None:
        if self._arrived >= BATCH:
            self._wait()
        else:
            self.lower()

    def _set(self, size: int) -> None:
        with suppress(OSError):  # the connection has ended
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
