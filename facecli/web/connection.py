"""One HTTP/1.1 connection: uvicorn's, with limits for clients that are slow, silent or do not read.

Theory of operation: uvicorn waits without end for the headers of a request, and for the rest of a body whose
request was answered before it was there. A timer runs whenever the client owes us one of these. The
application measures how fast a body arrives, and how fast its response is read; `abort` ends a connection
whose client takes nothing any more: closing it would wait until the response is on its way.

A socket that is closed with unread bytes resets the connection, and its client may lose the response. After
the last response a connection therefore takes what its client still sends before it closes.

The parser limits no size. What arrives and is neither body nor the end of a message is counted: the head,
the lines between the parts of a chunked body, and its trailers.

Reading from the socket, parsing and copying the body happen in one callback, so all connections of an event
loop, which is a thread, read into one buffer. A part of a body is copied once on its way to the application.
"""

import asyncio
import threading
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_remote_addr

from facecli.core.errors import InvalidInput
from facecli.web.errors import response_bytes
from facecli.web.low_water_mark import LowWaterMark
from facecli.web.request_head import announces_body, body_length, check_host, origin_form
from facecli.web.response_transport import ResponseTransport
from facecli.web.tls import certificate_names

HEADER_SECONDS = 20.0  # from the connection, or the end of the last request, to the end of the headers
LINGER_SECONDS = 10.0  # for the rest of a body that nobody reads any more; without it the answer is lost
MAX_HEADER_BYTES = 32 * 1024  # of a request with its first line
KEEP_ALIVE_SECONDS = 60  # without a request
MAX_PIPELINED = 16  # requests that wait for the responses to earlier ones
READ_SIZE = 1024 * 1024  # bytes that one read takes from a socket

_LINE = len(b": \r\n")  # bytes of a header beside its name and value
_INVALID = "the request is not valid HTTP/1.1"
_TOO_LARGE = f"the headers of the request are larger than {MAX_HEADER_BYTES} bytes"

_buffers = threading.local()  # `shared` is the buffer of an event loop


class Connection(HttpToolsProtocol, asyncio.BufferedProtocol):
    """Applications find it as `scope["state"]["connection"]`."""

    _timer: asyncio.TimerHandle | None = None
    _begun = False
    _timer_seconds: float | None = None  # from which the timer started
    _in_head = True  # until the headers of the next request are complete
    _uncounted_head = 0  # bytes that arrived since the last part of a body, or the end of a request
    _head_size = 0  # bytes of names and values in the headers and trailers of a request
    _refusal: tuple[int, str] | None = None  # status and text for what the parser rejects
    _deaf = False  # after what is not HTTP, or the last request
    _last = False  # whether the last response is complete, and the rest of a body is not there

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        names = certificate_names(transport.get_extra_info("ssl_object"))
        self.app_state = {**self.app_state, "connection": self, "certificate_names": names}
        self._mark = LowWaterMark(transport.get_extra_info("socket"), self.loop)
        self._watch()

    def get_buffer(self, sizehint: int) -> memoryview:
        if not hasattr(_buffers, "shared"):
            _buffers.shared = memoryview(bytearray(READ_SIZE))
        buffer: memoryview = _buffers.shared
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(_buffers.shared[:nbytes])

    def data_received(self, data: bytes) -> None:
        if not self._begun:  # a PROXY header has been read by now
            self._begun, self.client = True, get_remote_addr(self.transport)
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        self._uncounted_head += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(*self._refusal or (400, _INVALID))
        else:
            if self._uncounted_head > MAX_HEADER_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TOO_LARGE)
            self._watch()

    def on_message_begin(self) -> None:
        if self._deaf:
            raise InvalidInput("the connection is closing")
        super().on_message_begin()
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        if self._in_head:  # otherwise a trailer, which nobody uses
            super().on_header(name.lower(), value)

    def on_headers_complete(self) -> None:
        try:
            check_host(self.headers, self.parser.get_http_version())
            self.url = origin_form(self.url, self.headers)
            if self.parser.should_upgrade() and announces_body(self.headers):
                raise InvalidInput("a request with a body cannot ask for another protocol")
            if len(self.pipeline) >= MAX_PIPELINED:
                raise InvalidInput("too many requests wait for their responses")
        except InvalidInput as error:
            self._refusal = (400, str(error))
            raise
        self._in_head, self._uncounted_head = False, 0
        super().on_headers_complete()
        self.cycle.transport = ResponseTransport(self.transport, self._close)  # type: ignore[assignment]
        self._mark.expect(body_length(self.headers))

    def on_body(self, body: bytes) -> None:
        """Hold a part for the application. The usual part is the only one, and is not copied."""
        self._uncounted_head = 0
        self._mark.received(len(body))
        if self.cycle.response_complete or self._last:
            return
        held = self.cycle.body
        if not held:
            self.cycle.body = body  # type: ignore[assignment]
        else:
            if isinstance(held, bytes):
                held = self.cycle.body = bytearray(held)
            held += body
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._uncounted_head = True, 0
        if self._last:
            self._deaf = True
            self.transport.close()
        elif self.cycle.response_complete:
            self._await_request()

    def on_response_complete(self) -> None:
        if not self._last:
            super().on_response_complete()
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._mark.lower()
        self._stop_timer()
        if self.cycle:
            self.cycle.transport = self.transport  # which is no reference to this object, unlike `_close`
        super().connection_lost(exc)

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def _parse(self, data: bytes) -> None:
        """Parse; what asks for another protocol is a request like any other, as RFC 9110 allows."""
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]

    def _count_head(self, size: int) -> None:
        self._head_size += size + _LINE
        if self._head_size > MAX_HEADER_BYTES:
            self._refusal = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TOO_LARGE)
            raise InvalidInput(_TOO_LARGE)

    def _refuse(self, status: int, text: str) -> None:
        """Answer what is not HTTP, and close. Responses to earlier requests come first, and are the last."""
        if self._deaf:
            return
        self._deaf = True
        cycle = self.cycle
        if cycle and not cycle.response_complete:
            if self._in_head:
                cycle.keep_alive = False
                return
            if cycle.response_started or self.pipeline:
                self.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        if self._in_head or not cycle.response_complete:
            self.transport.write(response_bytes(InvalidInput(text), status=status))
        if self.transport.can_write_eof():
            self._linger()
        else:  # TLS: clients would wait for the end
            self.transport.close()

    def _close(self) -> None:
        """End the connection after a response; if its client is still sending, once it has done so."""
        if self._deaf or not self._in_head:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Send nothing more, and read until the client has sent everything."""
        self._last = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._watch()

    def _await_request(self) -> None:
        """Close the connection unless another request begins in time."""
        self._unset_keepalive_if_required()
        if not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _watch(self) -> None:
        """Start or stop the timer by what the client owes."""
        owed = self._owed()
        if owed != self._timer_seconds:
            self._stop_timer()
            if owed is not None:
                self._timer, self._timer_seconds = self.loop.call_later(owed, self.abort), owed

    def _owed(self) -> float | None:
        """Seconds for what the client has to send next; None when it owes nothing."""
        if self._last:
            return LINGER_SECONDS
        if self.cycle and not self.cycle.response_complete:
            return None
        if not self._in_head:
            return LINGER_SECONDS
        return HEADER_SECONDS if self.timeout_keep_alive_task is None else None

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._timer_seconds = None
