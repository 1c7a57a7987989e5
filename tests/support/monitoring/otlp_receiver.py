"""A receiver of traces by OTLP over HTTP."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.eventually import DEADLINE


@dataclass(frozen=True)
class ReceivedSpan:
    service: str
    name: str
    trace: str
    id: str
    parent: str
    began: int  # nanoseconds
    ended: int
    error: str
    attributes: dict[str, str]


class OtlpReceiver:
    """The spans that were received at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._spans: list[ReceivedSpan] = []
        self._changed = threading.Condition()

    def receive(self, body: bytes) -> None:
        with self._changed:
            self._spans += _spans(ExportTraceServiceRequest.FromString(body))
            self._changed.notify_all()

    def wait_for(self, service: str, name: str) -> ReceivedSpan:
        """The first span of this service with this name."""

        def found() -> ReceivedSpan | None:
            return next((s for s in self._spans if (s.service, s.name) == (service, name)), None)

        with self._changed:
            span = self._changed.wait_for(found, DEADLINE)
            assert span, sorted({(s.service, s.name) for s in self._spans})
            return span

    def below(self, parent: ReceivedSpan) -> Sequence[ReceivedSpan]:
        """The spans below this one, by their beginning."""
        with self._changed:
            children = [s for s in self._spans if (s.trace, s.parent) == (parent.trace, parent.id)]
        return sorted(children, key=lambda span: span.began)


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for resource in request.resource_spans:
        values = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    service=values["service.name"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    error=span.status.message,
                    attributes={each.key: each.value.string_value for each in span.attributes},
                )


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.receive(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log no request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = OtlpReceiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
