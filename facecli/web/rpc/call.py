"""One call over HTTP: hands messages between the event loop and the threads of the server.

Theory of operation: a method of the server runs in a thread and blocks while it waits for a message, and
while a response is not yet on its way; the event loop never blocks. `receive` and `send` are called by that
thread, everything else by the event loop. A message is fetched from the connection only after the method has
asked for it, which it does once the call is authenticated, so nobody else can make the server read a body.
"""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from connectrpc.errors import ConnectError
from google.protobuf.message import Message

from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.errors import FacecliError
from facecli.rpc.in_process.client import OK, CallStatus
from facecli.web.rpc.refusals import RefusedByMethod


class RpcCall:
    """A CallClient. `cut` ends the connection at once."""

    def __init__(
        self,
        *,
        decode: Callable[[bytes], bytes],
        encode: Callable[[Message], bytes],
        cut: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._decode = decode
        self._encode = encode
        self._cut = cut
        self._inbox = queue.SimpleQueue[bytes | Exception | None]()
        self._outbox = asyncio.Queue[tuple[bytes, Future[None]] | None]()
        self._wanted = asyncio.Event()
        self._closed = False
        self._failure: ConnectError | None = None
        self.ended = asyncio.Event()
        self.status: CallStatus | None = None

    def receive(self) -> bytes | None:
        self._in_loop(self._wanted.set)
        data = self._inbox.get()
        if isinstance(data, Exception):
            raise data
        return None if data is None else self._decode(data)

    def send(self, message: Message) -> None:
        data, taken = self._encode(message), Future[None]()
        if self._in_loop(self._put, data, taken):
            taken.result()

    def end(self, status: CallStatus) -> None:
        self._inbox.put(ConnectionLost())
        self._in_loop(self._end, status)

    def cut(self) -> None:
        self._in_loop(self._cut)

    async def wanted(self) -> None:
        """Wait until the method asks for a message, or the call has ended."""
        await self._wanted.wait()

    async def feed(self, data: bytes | None) -> None:
        """Hand over a message when the method asks for it; None after the last one."""
        await self.wanted()
        self._wanted.clear()
        if not self.ended.is_set():
            self._inbox.put(data)

    def fail(self, error: FacecliError) -> None:
        """Give the method this error in place of its next message, if it still waits for one."""
        self._inbox.put(error)

    def feed_all(self, messages: AsyncIterator[bytes]) -> "asyncio.Task[None]":
        """Hand over messages beside the responses; what the reading of one raises ends the responses."""

        async def feed() -> None:
            try:
                async for message in messages:
                    await self.feed(message)
                await self.feed(None)
            except ConnectError as error:
                self._failure = error
                self._outbox.put_nowait(None)

        return asyncio.ensure_future(feed())

    async def responses(self) -> AsyncIterator[bytes]:
        """The responses; each counts as sent when the next one is asked for. ConnectError at a refusal."""
        while (item := await self._outbox.get()) is not None:
            data, taken = item
            try:
                yield data
            finally:
                taken.set_result(None)
        self.check()

    def check(self) -> None:
        """ConnectError when the call was refused, or its messages cannot be read."""
        if self._failure:
            raise self._failure
        if self.status and self.status.code != OK:
            raise RefusedByMethod(self.status)

    def close(self) -> None:
        """Let go of the threads of a call whose request is over."""
        self._closed = True
        self._inbox.put(ConnectionLost())
        while not self._outbox.empty():
            if item := self._outbox.get_nowait():
                item[1].set_result(None)

    def _put(self, data: bytes, taken: "Future[None]") -> None:
        if self._closed:
            taken.set_result(None)
        else:
            self._outbox.put_nowait((data, taken))

    def _end(self, status: CallStatus) -> None:
        self.status = self.status or status
        self.ended.set()
        self._wanted.set()
        self._outbox.put_nowait(None)

    def _in_loop(self, function: Callable[..., None], *arguments: Any) -> bool:
        """Have the event loop call a function; whether it still runs."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)
            return True
        return False


current_call = ContextVar[RpcCall]("current_call")  # of the request under way
