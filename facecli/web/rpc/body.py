"""The body of a call: read once the method asks for it, within its size, at the minimum rate."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Any

from facecli.api.stream_deadline import MinRateDeadline
from facecli.core.errors import IdleTooLong, InvalidInput
from facecli.web.rpc.call import RpcCall
from facecli.web.rpc.refusals import RefusedRequest

Receive = Callable[[], Awaitable[Any]]  # of ASGI
Send = Callable[[Any], Awaitable[None]]

_BASE64 = re.compile(rb"[^=]*=*")


class CallBody:
    """Calling it is ASGI's `receive`. ConnectError when the call ends first, or the client is too slow."""

    def __init__(
        self,
        receive: Receive,
        call: RpcCall,
        deadline: MinRateDeadline,
        *,
        largest: int | None,
        too_large: str,
    ) -> None:
        """`largest` is the size of the whole body in bytes, None for a stream of messages."""
        self._receive = receive
        self._call = call
        self._deadline = deadline
        self._left = largest
        self._too_large = too_large
        self._ended: asyncio.Task[Any] | None = None
        self._complete = False

    async def __call__(self) -> Any:
        if self._complete:
            return await self._receive()  # the end of the connection
        await self._call.wanted()
        message = await self._next()
        if message["type"] == "http.request":
            self._complete = not message.get("more_body", False)
            self._count(len(message.get("body", b"")))
        return message

    def close(self) -> None:
        if self._ended:
            self._ended.cancel()

    async def _next(self) -> Any:
        self._call.check()
        self._deadline.begin()
        self._ended = self._ended or asyncio.ensure_future(self._call.ended.wait())
        receiving = asyncio.ensure_future(self._receive())
        try:
            timeout = max(0.0, self._deadline.remaining())
            await asyncio.wait({receiving, self._ended}, timeout=timeout, return_when="FIRST_COMPLETED")
            if receiving.done():
                return receiving.result()
            self._call.check()
            raise RefusedRequest(IdleTooLong("the body of the request arrives too slowly; send it again"))
        finally:
            receiving.cancel()

    def _count(self, size: int) -> None:
        self._deadline.received(size)
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise RefusedRequest(InvalidInput(self._too_large))


def decoded_base64(receive: Receive) -> Receive:
    """The bytes of a body in base64, padded wherever its client flushed it; ConnectError for another one."""
    rest = b""

    async def received() -> Any:
        nonlocal rest
        message = await receive()
        if message["type"] != "http.request":
            return message
        text = rest + message.get("body", b"")
        whole = len(text) - len(text) % 4
        text, rest = text[:whole], text[whole:]
        try:
            if rest and not message.get("more_body", False):
                raise binascii.Error
            body = b"".join(base64.b64decode(each, validate=True) for each in _BASE64.findall(text))
        except binascii.Error as error:
            raise RefusedRequest(InvalidInput("the body is not base64")) from error
        return {**message, "body": body}

    return received


def whole(receive: Receive) -> Receive:
    """A body as one part: connectrpc would move all that it has for every part that it adds."""

    async def received() -> Any:
        parts = []
        while (message := await receive())["type"] == "http.request":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return {**message, "body": b"".join(parts)}
        return message

    return received


def encoded_base64(send: Send) -> Send:
    """Send each part of a gRPC-Web response in base64, with a padding of its own."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value.replace(b"grpc-web+", b"grpc-web-text+") if name == b"content-type" else value)
                for name, value in message["headers"]
            ]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            message = {**message, "body": base64.b64encode(message.get("body", b""))}
        await send(message)

    return sent
