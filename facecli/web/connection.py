"""One HTTP/1.1 connection: uvicorn's, with limits for clients that are slow, silent or do not read.

Theory of operation: uvicorn waits without end for the headers of a request, and for the rest of a body whose
request was answered before it was there. A timer runs whenever the client owes us one of these. The
application measures how fast a body arrives, and how fast its response is read; `abort` ends a connection
whose client takes nothing any more: closing it would wait until the response is on its way.
"""

import asyncio
import json
import sys
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_remote_addr

from facecli.core.errors import InvalidInput
from facecli.web.errors import described
from facecli.web.tls import certificate_names

HEADER_SECONDS = 20.0  # from the connection, or the end of the last request, to the end of the headers
LINGER_SECONDS = 10.0  # for the rest of a body that nobody reads any more; without it the answer is lost
MAX_HEADER_BYTES = 32 * 1024  # of a request with its first line
KEEP_ALIVE_SECONDS = 60  # without a request


class Connection(H11Protocol):
    """Applications find it as `scope["state"]["connection"]`."""

    _timer: asyncio.TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        names = certificate_names(transport.get_extra_info("ssl_object"))
        self.app_state = {**self.app_state, "connection": self, "certificate_names": names}
        self._watch()

    def data_received(self, data: bytes) -> None:
        if not self._begun:  # a PROXY header has been read by now
            self._begun, self.client = True, get_remote_addr(self.transport)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer the error that is being handled: no HTTP, or headers that are too large."""
        if self.conn.our_state is not h11.IDLE:
            self.transport.abort()
            return
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        text = "the request is not valid HTTP/1.1"
        if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            text = f"the headers of the request are larger than {MAX_HEADER_BYTES} bytes"
        body = json.dumps({"error": described(InvalidInput(text))}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        """Start or stop the timer by what the client owes."""
        owed = None
        if self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE:
            owed = HEADER_SECONDS if self.timeout_keep_alive_task is None else None
        elif self.conn.their_state is h11.SEND_BODY and self.conn.our_state not in (
            h11.IDLE,
            h11.SEND_RESPONSE,
            h11.SEND_BODY,
        ):
            owed = LINGER_SECONDS
        if owed is None:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(owed, self.abort)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
