"""Traces by OpenTelemetry's SDK, which its own environment variables configure. Needs the extra `otel`."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from facecli import __version__
from facecli.core.errors import InvalidInput
from facecli.telemetry.traces.spans import NO_TRACER, TRACEPARENT, Attribute, Span, Tracer

EXPORTERS = "OTEL_TRACES_EXPORTER"
GROUP = "opentelemetry_traces_exporter"  # of the entry points of exporters
FLUSH_SECONDS = 2.0  # at the end of a process, for the spans that were not sent yet

_PREFIX = "facecli."  # of attributes
_BY_DEFAULT = "otlp"
_OTLP = {"otlp": "otlp_proto_http"}  # the protocol of the extra
_propagator = TraceContextTextMapPropagator()


@contextmanager
def otel_traces(service: str, environment: Mapping[str, str]) -> Iterator[Tracer]:
    """A tracer until leaving, which sends what is left. InvalidInput for an exporter that is unknown."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield NO_TRACER
        return
    log = logging.getLogger("opentelemetry")
    log.setLevel(logging.ERROR)
    log.addHandler(logging.NullHandler())  # commands have no log
    attributes = {"service.version": __version__}
    if not environment.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = service
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    for exporter in _exporters(environment):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield OtelTracer(provider)
    finally:
        # In a thread, because the SDK waits longer than it is asked to for a collector that is away.
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)


def _exporters(environment: Mapping[str, str]) -> Sequence[SpanExporter]:
    names = [name.strip() for name in environment.get(EXPORTERS, "").split(",")]
    return [_exporter(name) for name in [name for name in names if name] or [_BY_DEFAULT] if name != "none"]


def _exporter(name: str) -> SpanExporter:
    found = list(entry_points(group=GROUP, name=_OTLP.get(name, name)))
    if not found:
        raise InvalidInput(
            f"{EXPORTERS}: there is no exporter {name!r}; use otlp, console or none, or install its package"
        )
    exporter: SpanExporter = found[0].load()()
    return exporter


class OtelTracer:
    """Tracer of a provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("facecli", __version__)

    def start(self, name: str, *, parent: str = "", **attributes: Attribute) -> Span:
        context = _propagator.extract({TRACEPARENT: parent}) if parent else None
        kind = trace.SpanKind.SERVER if parent else trace.SpanKind.INTERNAL
        span = self._tracer.start_span(name, context=context, kind=kind, attributes=_named(attributes))
        return OtelSpan(self._tracer, span)


class OtelSpan:
    """Span of the SDK."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context = trace.set_span_in_context(span)

    @property
    def traceparent(self) -> str:
        carrier = dict[str, str]()
        _propagator.inject(carrier, self._context)
        return carrier.get(TRACEPARENT, "")

    def part(self, name: str, *, began: float, ended: float, **attributes: Attribute) -> None:
        if self._span.is_recording():
            now, wall = time.perf_counter(), time.time_ns()
            part = self._tracer.start_span(
                name,
                context=self._context,
                start_time=wall - int((now - began) * 1e9),
                attributes=_named(attributes),
            )
            part.end(wall - int((now - ended) * 1e9))

    def end(self, *, error: str = "", **attributes: Attribute) -> None:
        self._span.set_attributes(_named(attributes))
        if error:
            self._span.set_status(trace.StatusCode.ERROR, error)
        self._span.end()


def _named(attributes: Mapping[str, Attribute]) -> Mapping[str, Attribute]:
    return {f"{_PREFIX}{name}": value for name, value in attributes.items()}
