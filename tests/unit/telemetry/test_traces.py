"""Spans by OpenTelemetry's SDK, the places of callers, and what happens without the extra."""

import sys
import time
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from facecli.bootstrap.service.traces import traces
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput, NotReady
from facecli.telemetry.traces.otel import OtelTracer, otel_traces
from facecli.telemetry.traces.spans import NO_TRACER, recorded, traceparent_in

PLACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exported: InMemorySpanExporter) -> OtelTracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    return OtelTracer(provider)


def finished(exported: InMemorySpanExporter) -> Mapping[str, ReadableSpan]:
    return {span.name: span for span in exported.get_finished_spans()}


def test_parts_are_below_their_span_with_their_own_times(
    tracer: OtelTracer, exported: InMemorySpanExporter
) -> None:
    span, began = tracer.start("call", parent=PLACE, request="r1"), time.perf_counter()
    span.part("write", began=began - 2.0, ended=began - 0.5, bytes=3)
    span.end(outcome="OK")
    found = finished(exported)
    call, write = found["call"], found["write"]
    assert call.parent is not None
    assert f"{call.parent.trace_id:032x}-{call.parent.span_id:016x}" == PLACE[3:52]
    assert span.traceparent == f"00-{PLACE[3:35]}-{call.context.span_id:016x}-01"
    assert write.parent is not None
    assert write.parent.span_id == call.context.span_id
    assert write.start_time is not None
    assert write.end_time is not None
    assert (write.end_time - write.start_time) / 1e9 == pytest.approx(1.5, abs=0.01)
    assert dict(call.attributes or {}) == {"facecli.request": "r1", "facecli.outcome": "OK"}


def test_an_error_is_that_of_its_span(tracer: OtelTracer, exported: InMemorySpanExporter) -> None:
    with pytest.raises(NotReady), recorded(tracer.start("run task")):
        raise NotReady("too early")
    status = finished(exported)["run task"].status
    assert (status.is_ok, status.description) == (False, "NOT_READY")


def test_a_caller_that_is_not_sampled_is_not_recorded(
    tracer: OtelTracer, exported: InMemorySpanExporter
) -> None:
    span = tracer.start("call", parent=f"{PLACE[:-2]}00")
    span.part("write", began=0.0, ended=1.0)
    span.end()
    assert not exported.get_finished_spans()
    assert span.traceparent.endswith("-00")


@pytest.mark.parametrize(
    "value",
    ["", "00", f"01{PLACE[2:]}", f"{PLACE}-more", f"00-{'0' * 32}-b7ad6b7169203331-01", PLACE.upper(), 7],
)
def test_a_place_that_is_not_valid_is_none(value: object) -> None:
    assert traceparent_in({"traceparent": value}) == ""
    assert traceparent_in({"traceparent": PLACE}) == PLACE


def test_without_traces_the_place_of_the_caller_is_passed_on_and_nothing_is_loaded() -> None:
    with traces(Settings(), service="facecli-server") as tracer:
        assert tracer is NO_TRACER
    assert NO_TRACER.start("call", parent=PLACE).traceparent == PLACE


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facecli.telemetry.traces.otel", None)
    with pytest.raises(InvalidInput, match="need the extra otel: pip install opentelemetry-sdk"):
        traces(Settings(traces=True), service="facecli-server")


def test_an_unknown_exporter_is_refused_and_none_or_a_disabled_sdk_send_nothing() -> None:
    with pytest.raises(InvalidInput, match="no exporter 'pigeon'"), otel_traces("x", _exporter("pigeon")):
        pass
    with otel_traces("x", _exporter("none")) as tracer:
        assert tracer.start("call").traceparent
    with otel_traces("x", {"OTEL_SDK_DISABLED": "true"}) as tracer:
        assert tracer is NO_TRACER


def _exporter(name: str) -> Mapping[str, str]:
    return {"OTEL_TRACES_EXPORTER": name}
