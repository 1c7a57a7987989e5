"""Assembles a server and its workers, runs them, and stops them gracefully."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.api.access_log import log_access
from facecli.api.admission import CallLimits, create_admissions
from facecli.api.audit import log_audit
from facecli.api.authentication import Authenticator
from facecli.bootstrap.addresses import check_addresses, trusted_proxies, wants_metrics
from facecli.bootstrap.blob_store import store_probes
from facecli.bootstrap.factories import EMBEDDED_PREFIX
from facecli.bootstrap.open_files import max_connections
from facecli.bootstrap.server_components import ServerComponents, server_components
from facecli.bootstrap.service.shutdown import Shutdown
from facecli.bootstrap.service.traces import traces
from facecli.bootstrap.service.watchdog import database_answer, watched
from facecli.bootstrap.service.workers import create_supervisor, set_log_level
from facecli.bootstrap.storage_health import StorageHealth
from facecli.bootstrap.webhooks import running_webhooks
from facecli.config.access import server_tls
from facecli.config.settings import Settings
from facecli.core.auth import RECHECK_SECONDS
from facecli.core.errors import InvalidInput
from facecli.core.events import EventBus
from facecli.core.periodic import run_periodically
from facecli.metadata import database
from facecli.queue import client as queue_client
from facecli.rpc.server import Server, ServerLimits, ServerParts
from facecli.telemetry.service_manager import ServiceManager
from facecli.telemetry.traces.spans import Tracer
from facecli.webhooks.service import Webhooks
from facecli.worker.heartbeat import CHECK_INTERVAL
from facecli.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from facecli.bootstrap.metrics import ServerMetrics
    from facecli.web.server import WebServer

CONNECTIONS = database.CONNECTIONS + queue_client.CONNECTIONS + 1  # of a server to PostgreSQL; one listens
EXPIRY_INTERVAL = 60.0  # seconds between two expiries of uploads and tasks
SWEEP_INTERVAL = 600.0  # seconds between two garbage collections of orphaned files
REQUEUE_INTERVAL = 15.0  # seconds between two searches for stranded tasks
METRICS_PATH = "/metrics"
PROBE_INTERVAL = 5.0  # seconds between two probes of the data directory
GENERATION_INTERVAL = 60.0  # seconds between two records of how new the database is


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens at `address`; `workers` returns the process ids of its workers.

    `set_log_level` tells the workers a level. `http` is the URL of its HTTP server, `metrics` that of its
    metrics, each empty without. `fallback` is the reason why `default_engine` is not the best one, empty if
    it is, or was configured.
    """

    address: str
    http: str
    metrics: str
    directory: Path
    engines: Sequence[str]
    default_engine: str
    fallback: str
    ffmpeg: str
    workers: Callable[[], Sequence[int]]
    set_log_level: Callable[[str], None]


@contextmanager
def run_server(settings: Settings, manager: ServiceManager | None = None) -> Iterator[Running]:
    """Run a server with its workers; leaving the context stops them gracefully.

    The watchdog of a service `manager` gets pings while the database and the event loop answer.
    FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput before anything starts.
    """
    check_addresses(settings)
    with ExitStack() as stack:
        tracer = stack.enter_context(traces(settings, service="facecli-server"))
        components = stack.enter_context(server_components(settings))
        components.upload_service.collector.sweep()
        components.collector.sweep()
        components.recovery.recover_former(
            data_dir_id=components.data_dir_id, is_former=lambda name: name.startswith(EMBEDDED_PREFIX)
        )
        components.recovery.requeue_stranded()
        webhooks = stack.enter_context(running_webhooks(settings, components.directory))
        parts = _server_parts(settings, components, webhooks.service, tracer)
        worker_events = EventBus()
        server, supervisor = _server(settings, parts), create_supervisor(settings, components, worker_events)
        metrics = _metrics(settings, components, parts, server=server, supervisor=supervisor)
        metrics_url = ""
        if metrics:
            components.events.subscribe(metrics.recorder)
            worker_events.subscribe(metrics.recorder)
            if settings.metrics:
                metrics_url = stack.enter_context(metrics.listening(settings.metrics))
        shutdown = Shutdown(server, supervisor, timeout=settings.drain_timeout)
        stack.callback(shutdown.run)  # also if only some workers were started
        page = metrics.page if metrics and not settings.metrics else None
        web = _web_server(settings, server, parts, components, page) if settings.http else None
        if web:
            metrics_url = f"{web.url}{METRICS_PATH}" if page else metrics_url
            shutdown.web = web
        supervisor.start()
        server.start()
        if web:
            web.start()
        storage_health = StorageHealth(
            store_probes(components.blobs, components.directory), server.report_storage
        )
        for interval, job in (
            (RECHECK_SECONDS, server.recheck),
            (EXPIRY_INTERVAL, components.upload_service.collector.expire),
            (EXPIRY_INTERVAL, components.collector.expire),
            (SWEEP_INTERVAL, components.collector.sweep),
            (CHECK_INTERVAL, components.recovery.check),
            (CHECK_INTERVAL, components.suspended_workers.check),
            (REQUEUE_INTERVAL, components.recovery.requeue_stranded),
            (EXPIRY_INTERVAL, components.recovery.forget_ended),
            (EXPIRY_INTERVAL, components.compact_usage),
            (GENERATION_INTERVAL, components.raise_generation),
            (PROBE_INTERVAL, storage_health.check),
            *webhooks.jobs,
            *(metrics.jobs if metrics else ()),
        ):
            stack.enter_context(run_periodically(interval, job))
        if manager:
            answer = database_answer(settings, components.ask_database)
            stack.enter_context(watched(manager, [answer, *([web.answer] if web else [])]))
        info = components.info("")
        try:
            yield Running(
                address=server.address,
                http=web.url if web else "",
                metrics=metrics_url,
                directory=components.directory.resolve(),
                engines=info.engines,
                default_engine=info.default_engine,
                fallback=components.fallback,
                ffmpeg=info.ffmpeg,
                workers=supervisor.pids,
                set_log_level=partial(set_log_level, supervisor),
            )
        finally:
            shutdown.run()  # while the periodic jobs still run: a drain takes its time


def _metrics(
    settings: Settings,
    components: ServerComponents,
    parts: ServerParts,
    *,
    server: Server,
    supervisor: Supervisor,
) -> "ServerMetrics | None":
    if not wants_metrics(settings):
        return None
    from facecli.bootstrap.metrics import MetricsParts, ServerMetrics  # loads prometheus_client

    return ServerMetrics(
        MetricsParts(
            settings=settings,
            directory=components.directory,
            engines=components.info("").engines,
            figures=components.figures,
            admissions=parts.admissions,
            ready=server.ready,
            workers=supervisor.pids,
        )
    )


def _web_server(
    settings: Settings,
    server: Server,
    parts: ServerParts,
    components: ServerComponents,
    metrics: Callable[[], bytes] | None,
) -> "WebServer":
    try:
        from facecli.bootstrap.web import create_web_server  # loads FastAPI and uvicorn
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "--http needs the extra web: pip install fastapi uvicorn httptools connectrpc"
        ) from error
    return create_web_server(
        settings,
        server,
        parts,
        components.tails,
        metrics=metrics,
        link_key=components.link_key(),
        max_connections=_connections(settings),
    )


def _connections(settings: Settings) -> int:
    """The number of connections of each of the servers."""
    return max_connections() // (2 if settings.http else 1)


def _server_parts(
    settings: Settings, components: ServerComponents, webhooks: Webhooks, tracer: Tracer
) -> ServerParts:
    calls = CallLimits(
        uploads=settings.max_uploads,
        watchers=settings.max_watchers,
        downloads=settings.max_downloads,
        calls=settings.max_calls,
        share=settings.user_share,
        idle=settings.idle_limit,
    )
    log_access(components.events)
    log_audit(components.events)
    return ServerParts(
        upload_service=components.upload_service,
        task_service=components.task_service,
        webhooks=webhooks,
        previews=components.previews,
        downloads=components.downloads,
        info=components.info,
        authenticator=Authenticator(components.tokens),
        admissions=create_admissions(calls),
        events=components.events,
        tracer=tracer,
        proxies=trusted_proxies(settings),
    )


def _server(settings: Settings, parts: ServerParts) -> Server:
    limits = ServerLimits(
        streams=settings.max_streams,
        connections=_connections(settings),
        idle=settings.idle_limit,
        min_rate=settings.min_rate,
    )
    return Server(
        parts,
        bind=settings.bind,
        limits=limits,
        tls=server_tls(settings),
        reflection=settings.reflection,
    )
