"""Counters and histograms, fed by the domain events of a process."""

from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from facecli.core import events
from facecli.core.events import Event
from facecli.telemetry.metrics import catalog
from facecli.telemetry.metrics.catalog import METRICS, Kind, Metric

_OUTCOMES = ("completed", "failed", "cancelled")

_TYPES: dict[Kind, Callable[..., Any]] = {Kind.COUNTER: Counter, Kind.HISTOGRAM: Histogram}


class Recorder:
    """A listener for event buses. Safe to use from many threads.

    `engines` are counted from zero: Prometheus sees no increase in a counter that begins with an event.
    """

    def __init__(self, registry: CollectorRegistry, *, engines: Sequence[str], worker: bool) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter
        self._objects = {
            metric.name: _created(metric, registry)
            for metric in METRICS
            if metric.kind in _TYPES and (metric.worker or not worker)
        }
        self._recorders: dict[type[Event], Callable[[Any], None]] = {
            events.CallEnded: self._call_ended,
            events.CallRefused: lambda event: self._count(catalog.REFUSALS, event.reason),
            events.HttpRequestEnded: self._request_ended,
            events.UploadCreated: lambda event: self._count(catalog.UPLOADS_CREATED),
            events.UploadResumed: lambda event: self._count(catalog.UPLOADS_RESUMED),
            events.UploadCompleted: lambda event: self._count(catalog.UPLOADS_COMPLETED),
            events.UploadDeleted: lambda event: self._count(catalog.UPLOADS_DELETED, event.cause),
            events.ChunkStored: self._chunk_stored,
            events.ChunkRepeated: self._bytes_resent,
            events.BytesLost: self._bytes_resent,
            events.BatchCommitted: self._batch_committed,
            events.ChunkAcknowledged: self._chunk_acknowledged,
            events.BytesSent: lambda event: self._count(catalog.SENT_BYTES, by=event.size),
            events.TaskCreated: lambda event: self._count(catalog.TASKS_CREATED, event.engine),
            events.TaskStarted: lambda event: self._count(catalog.TASK_ATTEMPTS, event.engine),
            events.TaskCrashed: lambda event: self._count(catalog.TASK_CRASHES, event.engine),
            events.TaskRequeued: lambda event: self._count(catalog.TASK_REQUEUES, event.engine),
            events.TaskEnded: self._task_ended,
            events.FramesSwapped: lambda event: self._count(catalog.FRAMES, event.engine, by=event.frames),
            events.WorkerLost: lambda event: self._count(catalog.LEASES_EXPIRED),
            events.WorkerExited: lambda event: self._count(catalog.WORKER_EXITS),
        }
        self._begin_at_zero(engines)

    def __call__(self, event: Event) -> None:
        if record := self._recorders.get(type(event)):
            record(event)

    def _begin_at_zero(self, engines: Sequence[str]) -> None:
        for engine in engines:
            for metric in METRICS:
                if metric.kind is Kind.COUNTER and metric.labels == ("engine",):
                    self._count(metric, engine, by=0)
            for status in _OUTCOMES:
                self._count(catalog.TASKS_ENDED, engine, status, by=0)

    def _call_ended(self, event: events.CallEnded) -> None:
        method = event.method.removeprefix("/")
        self._count(catalog.RPC_CALLS, method, event.outcome)
        self._observe(catalog.RPC_SECONDS, event.seconds, method)

    def _request_ended(self, event: events.HttpRequestEnded) -> None:
        self._count(catalog.HTTP_REQUESTS, event.route, event.method, str(event.status))
        self._observe(catalog.HTTP_SECONDS, event.seconds, event.route)

    def _chunk_stored(self, event: events.ChunkStored) -> None:
        self._count(catalog.RECEIVED_BYTES, by=event.size)
        self._count(catalog.STORED_BYTES, by=event.size)

    def _bytes_resent(self, event: events.ChunkRepeated | events.BytesLost) -> None:
        self._count(catalog.RECEIVED_BYTES, by=event.size)
        self._count(catalog.RESENT_BYTES, by=event.size)

    def _batch_committed(self, event: events.BatchCommitted) -> None:
        self._observe(catalog.STAGE_SECONDS, event.flush, "flush")
        self._observe(catalog.STAGE_SECONDS, event.commit, "commit")

    def _chunk_acknowledged(self, event: events.ChunkAcknowledged) -> None:
        self._observe(catalog.STAGE_SECONDS, event.receive, "receive")
        self._observe(catalog.STAGE_SECONDS, event.write, "write")
        if event.send is not None:
            self._observe(catalog.STAGE_SECONDS, event.send, "send")
        self._observe(catalog.ACKNOWLEDGE_SECONDS, event.acknowledge)

    def _task_ended(self, event: events.TaskEnded) -> None:
        self._count(catalog.TASKS_ENDED, event.engine, event.status)
        if event.status == "failed":
            self._count(catalog.TASK_FAILURES, event.reason)

    def _count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        if (counter := self._objects.get(metric.name)) is not None:
            (counter.labels(*labels) if labels else counter).inc(by)

    def _observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        if (histogram := self._objects.get(metric.name)) is not None:
            (histogram.labels(*labels) if labels else histogram).observe(seconds)


def _created(metric: Metric, registry: CollectorRegistry) -> Any:
    options = {"buckets": metric.buckets} if metric.buckets else {}
    return _TYPES[metric.kind](metric.name, metric.help, metric.labels, registry=registry, **options)
