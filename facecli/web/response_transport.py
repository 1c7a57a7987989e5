"""The transport that a response is written to, which leaves the end of the connection to its owner."""

import asyncio
from collections.abc import Callable


class ResponseTransport:
    """Only `close` differs from that of the connection."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
