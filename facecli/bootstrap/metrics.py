"""Assembles the metrics of a server or a worker. Imported only if they are asked for."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.api.admission import Admissions
from facecli.blobs.backup_mark import last_backup
from facecli.config.access import server_tls
from facecli.config.settings import Settings
from facecli.core.events import EventBus
from facecli.metadata.figures import Figures, SqlFigures
from facecli.telemetry.certificate_expiry import certificate_expiry
from facecli.telemetry.metrics import catalog
from facecli.telemetry.metrics.exposition import Exposition
from facecli.telemetry.metrics.gauges import Sample
from facecli.telemetry.metrics.listener import MetricsListener
from facecli.telemetry.metrics.recorder import Recorder

LOOK_INTERVAL = 10.0  # seconds between two looks at the database, and at the disk
SUM_INTERVAL = 300.0  # seconds between two sums of all stored bytes; a million uploads take .4 s


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsParts:
    """The sources of a server's gauges; `workers` returns the process ids of its workers."""

    settings: Settings
    directory: Path
    engines: Sequence[str]
    figures: SqlFigures
    admissions: Admissions
    ready: Callable[[], bool]
    workers: Callable[[], Sequence[int]]


class ServerMetrics:
    """The metrics of a server, with a first look at its database and its disk.

    A page is made of what the last looks found, because a database or a disk may not answer; it says when the
    database last did.
    """

    def __init__(self, parts: MetricsParts) -> None:
        self._parts = parts
        self._of_database: Sequence[Sample] = ()
        self._of_disk: Sequence[Sample] = ()
        self._kept: Sequence[Sample] = ()
        self._exposition = Exposition(
            engines=parts.engines,
            sources=[self._live, lambda: self._of_database, lambda: self._of_disk, lambda: self._kept],
        )
        self.look_at_database()
        self.look_at_disk()
        self.sum_kept_bytes()

    @property
    def recorder(self) -> Recorder:
        return self._exposition.recorder

    @property
    def jobs(self) -> Sequence[tuple[float, Callable[[], object]]]:
        """Periodic jobs: the interval in seconds, and the function."""
        return (
            (LOOK_INTERVAL, self.look_at_database),
            (LOOK_INTERVAL, self.look_at_disk),
            (SUM_INTERVAL, self.sum_kept_bytes),
        )

    def page(self) -> bytes:
        return self._exposition.page()

    def listening(self, bind: str) -> AbstractContextManager[str]:
        """Serve the page on a port of its own until leaving; the URL. InvalidInput if it cannot listen."""
        return listening(bind, self.page)

    def look_at_database(self) -> None:
        """Read the figures of the database; Unavailable when it does not answer."""
        began, now = time.monotonic(), time.time()
        figures = self._parts.figures.read(now=now)
        seconds = time.monotonic() - began
        self._of_database = [
            Sample(catalog.DATABASE_ANSWERED, now),
            Sample(catalog.DATABASE_SECONDS, seconds),
            *_figures(figures, self._parts.engines, now=now),
        ]

    def look_at_disk(self) -> None:
        """Read the space of the data directory, and when certificates expire and a backup was made."""
        settings, directory = self._parts.settings, self._parts.directory
        space = shutil.disk_usage(directory)
        samples = [Sample(catalog.DISK_FREE, space.free), Sample(catalog.DISK_SIZE, space.total)]
        if tls := server_tls(settings):
            for name, file in (("server", tls.cert), ("client_ca", tls.client_ca)):
                if file and (expiry := certificate_expiry(Path(file))) is not None:
                    samples.append(Sample(catalog.CERTIFICATE_EXPIRY, expiry, (name,)))
        if (backup := last_backup(directory)) is not None:
            samples.append(Sample(catalog.BACKUP_TIME, backup))
        self._of_disk = samples

    def sum_kept_bytes(self) -> None:
        """Add up the bytes of all uploads and results, which a bucket does not tell."""
        kept = self._parts.figures.kept_bytes()
        self._kept = [Sample(catalog.BYTES_KEPT, size, (kind,)) for kind, size in kept.items()]

    def _live(self) -> Iterator[Sample]:
        parts, slots = self._parts, self._parts.admissions
        yield Sample(catalog.READY, parts.ready())
        yield Sample(catalog.WORKERS, len(parts.workers()))
        yield Sample(catalog.WORKERS_WANTED, parts.settings.workers)
        for kind, admission in (
            ("uploads", slots.uploads),
            ("watchers", slots.watchers),
            ("downloads", slots.downloads),
            ("calls", slots.calls),
            ("creations", slots.creations),
        ):
            yield Sample(catalog.SLOTS_USED, admission.used, (kind,))
            yield Sample(catalog.SLOTS_LIMIT, admission.limit, (kind,))


def _figures(figures: Figures, engines: Sequence[str], *, now: float) -> Iterator[Sample]:
    for engine in {*engines, *figures.waiting, *figures.running}:
        oldest = figures.oldest.get(engine, now)
        yield Sample(catalog.QUEUE_DEPTH, figures.waiting.get(engine, 0), (engine,))
        yield Sample(catalog.QUEUE_AGE, max(0.0, now - oldest), (engine,))
        yield Sample(catalog.TASKS_RUNNING, figures.running.get(engine, 0), (engine,))
    yield Sample(catalog.UPLOADS_INCOMPLETE, figures.incomplete_uploads)
    yield Sample(catalog.WORKER_LEASES, figures.workers)
    if figures.token_expires_at is not None:
        yield Sample(catalog.TOKEN_EXPIRY, figures.token_expires_at)


@contextmanager
def listening(bind: str, page: Callable[[], bytes]) -> Iterator[str]:
    """Serve this page until leaving, at the URL that is yielded; InvalidInput when it cannot listen there."""
    listener = MetricsListener(bind, page)
    try:
        listener.start()
        yield listener.url
    finally:
        listener.stop()


@contextmanager
def worker_metrics(bind: str, events: EventBus, *, engines: Sequence[str]) -> Iterator[str]:
    """Serve the metrics of a worker that runs by itself until leaving, at the URL that is yielded."""
    exposition = Exposition(engines=engines, worker=True)
    events.subscribe(exposition.recorder)
    with listening(bind, exposition.page) as url:
        yield url
