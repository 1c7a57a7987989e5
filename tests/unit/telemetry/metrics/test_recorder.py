"""Counters and histograms: every one in the catalog counts an event."""

import re
from collections.abc import Iterator
from dataclasses import replace

from facecli.core import events
from facecli.core.events import Event, EventBus
from facecli.telemetry.metrics.catalog import METRICS, Kind
from facecli.telemetry.metrics.exposition import MAX_AGE, Exposition
from tests.support.monitoring.page import Page, parsed
from tests.support.storage import Clock


class Metrics:
    """The metrics of one bus, each page newer than the one before."""

    def __init__(self, *, worker: bool = False) -> None:
        self.clock = Clock()
        self.exposition = Exposition(engines=["mock"], worker=worker, clock=self.clock)
        self._bus = EventBus()
        self._bus.subscribe(self.exposition.recorder)

    def after(self, *published: Event) -> Page:
        for event in published:
            self._bus.publish(event)
        self.clock.now += MAX_AGE
        return parsed(self.exposition.page().decode())


def every_event() -> Iterator[Event]:
    """One of each event, with values that count."""
    common = {"request_id": "r", "user": "ann", "method": "/video.UploadService/GetUpload"}
    yield events.CallEnded(
        **common, changes=False, acting_for="", outcome="OK", seconds=0.2, peer="p", subjects=()
    )
    yield events.CallRefused(**common, reason="QUOTA_REACHED")
    yield events.HttpRequestEnded(route="/", method="GET", status=200, seconds=0.2)
    yield events.UploadCreated(upload_id="u", owner="ann", size=9)
    yield events.UploadResumed(upload_id="u", owner="ann", stored=4)
    yield events.ChunkStored(upload_id="u", owner="ann", index=0, size=4)
    yield events.ChunkRepeated(upload_id="u", size=2)
    yield events.BytesLost(upload_id="u", size=1)
    yield events.BatchCommitted(chunks=1, flush=0.2, commit=0.1)
    yield events.ChunkAcknowledged(receive=0.1, write=0.2, acknowledge=0.4)
    yield events.BytesSent(size=8)
    yield events.UploadCompleted(upload_id="u", owner="ann", size=9)
    yield events.UploadDeleted(upload_id="u", cause="expired")
    yield events.TaskCreated(task_id="t", owner="ann", engine="mock")
    yield events.TaskStarted(task_id="t", engine="mock", worker="w", attempt=1)
    yield events.FramesSwapped(task_id="t", engine="mock", frames=30)
    yield events.TaskCrashed(task_id="t", engine="mock")
    yield events.TaskRequeued(task_id="t", engine="mock", worker="w")
    yield events.TaskEnded(task_id="t", engine="mock", status="failed", reason="DISK_FULL", message="m")
    yield events.WorkerLost(worker="w")
    yield events.WorkerExited(worker="w")


def counted(page: Page, name: str, kind: Kind) -> float:
    return page.value(name if kind is Kind.COUNTER else f"{name}_count")


def test_every_counter_and_histogram_counts_an_event() -> None:
    metrics = Metrics()
    before, after = metrics.after(), metrics.after(*every_event())
    changing = [metric for metric in METRICS if metric.kind is not Kind.GAUGE]
    still = {m.name for m in changing if counted(after, m.name, m.kind) <= counted(before, m.name, m.kind)}
    assert still == set()


def test_received_bytes_are_the_stored_the_repeated_and_the_lost_ones() -> None:
    page = Metrics().after(*every_event())
    names = ("received", "stored", "retransmitted")
    assert [page.value(f"facecli_upload_{name}_bytes_total") for name in names] == [7, 4, 3]


def test_a_batch_is_one_observation_of_flush_and_commit() -> None:
    page = Metrics().after(events.BatchCommitted(chunks=8, flush=0.2, commit=0.02))
    for stage, seconds in (("flush", 0.2), ("commit", 0.02)):
        name = "facecli_upload_stage_seconds"
        assert page.value(f"{name}_count", stage=stage) == 1
        assert page.value(f"{name}_sum", stage=stage) == seconds


def test_the_time_of_a_chunk_on_its_way_to_a_bucket_is_observed_where_there_is_one() -> None:
    local = events.ChunkAcknowledged(receive=0.1, write=0.2, acknowledge=0.4)
    page = Metrics().after(local, replace(local, send=0.3))
    name = "facecli_upload_stage_seconds"
    counts = [page.value(f"{name}_count", stage=stage) for stage in ("receive", "write", "send")]
    assert counts == [2, 2, 1]
    assert page.value(f"{name}_sum", stage="send") == 0.3


def test_the_counters_of_an_engine_begin_at_zero() -> None:
    series = Metrics().after().series
    ended = frozenset({("engine", "mock"), ("status", "failed")})
    assert series["facecli_tasks_ended_total", ended] == 0
    assert series["facecli_frames_swapped_total", frozenset({("engine", "mock")})] == 0


def test_a_worker_has_no_metrics_of_a_server() -> None:
    page = Metrics(worker=True).after(*every_event())
    names = {metric.name for metric in METRICS if metric.worker}
    assert {name for name in page.families() if name.startswith("facecli_")} == names


def test_a_page_is_made_at_most_twice_a_second() -> None:
    metrics = Metrics()
    metrics.after()
    metrics.exposition.recorder(events.WorkerLost(worker="w"))
    assert parsed(metrics.exposition.page().decode()).value("facecli_worker_leases_expired_total") == 0
    assert metrics.after().value("facecli_worker_leases_expired_total") == 1


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"facecli_[a-z]+(_[a-z]+)*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        assert metric.help.endswith("."), metric.name
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM), metric.name
