"""Joins what a server is made of."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from facecli.api.authentication import Callers
from facecli.bootstrap.server_components import ServerComponents, server_components
from facecli.config.access import requires_authentication, server_tls
from facecli.config.child_environment import child_environment
from facecli.config.settings import Settings
from facecli.core.addresses import check_exposure, checked_address
from facecli.core.auth import RECHECK
from facecli.core.periodic import run_periodically
from facecli.metadata import database
from facecli.queue import client as work
from facecli.rpc.server import Server, ServerLimits
from facecli.worker.heartbeat import CHECK_INTERVAL
from facecli.worker.supervisor import Supervisor

EMBEDDED = "worker-"  # what the workers of a server are called, with its directory's name and a number
CONNECTIONS = database.CONNECTIONS + work.CONNECTIONS + 1  # of a server to PostgreSQL; one listens
EXPIRE_EVERY = 60.0  # seconds between two looks for abandoned uploads, and for tasks that ended long ago
SWEEP_EVERY = 600.0  # seconds between two looks for files that no row knows
SEARCH_EVERY = 15.0  # seconds between two looks for tasks that nobody would run
GRACE = 5.0  # seconds that running calls and workers get to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens at `address`; `workers` tells the process ids of its workers."""

    address: str
    workers: Callable[[], Sequence[int]]


@contextmanager
def run_server(settings: Settings) -> Iterator[Running]:
    """A whole server with its workers; stopped gracefully on leaving.

    FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput before anything was started.
    """
    _check_bind(settings)
    with ExitStack() as stack:
        kept = stack.enter_context(server_components(settings))
        kept.upload_service.collector.sweep()
        kept.collector.sweep()
        kept.recovery.recover_former(
            data_dir_id=kept.data_dir_id, names=lambda name: name.startswith(EMBEDDED)
        )
        kept.recovery.requeue_stranded()
        server, supervisor = _server(settings, kept), _supervisor(settings, kept)
        stack.callback(supervisor.stop, GRACE)  # also when only some of its workers could be started
        supervisor.start()
        server.start()
        stack.callback(server.stop, GRACE)
        for seconds, work in (
            (RECHECK, server.recheck),
            (EXPIRE_EVERY, kept.upload_service.collector.expire),
            (EXPIRE_EVERY, kept.collector.expire),
            (SWEEP_EVERY, kept.collector.sweep),
            (CHECK_INTERVAL, kept.recovery.check),
            (SEARCH_EVERY, kept.recovery.requeue_stranded),
        ):
            stack.enter_context(run_periodically(seconds, work))
        yield Running(address=server.address, workers=supervisor.pids)


def _check_bind(settings: Settings) -> None:
    checked_address(settings.bind, option="--bind", lowest_port=0)
    if not settings.insecure:
        check_exposure(
            settings.bind, tls=bool(settings.tls_cert), authenticated=requires_authentication(settings)
        )


def _server(settings: Settings, kept: ServerComponents) -> Server:
    limits = ServerLimits(
        uploads=settings.max_uploads,
        watchers=settings.max_watchers,
        downloads=settings.max_downloads,
        calls=settings.max_calls,
        share=settings.user_share,
        streams=settings.max_streams,
        idle=settings.idle_limit,
        min_rate=settings.min_rate,
    )
    return Server(
        bind=settings.bind,
        upload_service=kept.upload_service,
        task_service=kept.task_service,
        downloads=kept.downloads,
        info=kept.info,
        limits=limits,
        callers=Callers(kept.tokens),
        tls=server_tls(settings),
    )


def _supervisor(settings: Settings, kept: ServerComponents) -> Supervisor:
    theirs = replace(settings, data_dir=str(kept.directory.resolve()))
    return Supervisor(
        names=[f"{EMBEDDED}{kept.data_dir_id}-{number}" for number in range(1, settings.workers + 1)],
        command=_worker_command,
        environment=child_environment(theirs, secrets=("database",)),
        crashed=lambda name: kept.recovery.recover_former(data_dir_id=kept.data_dir_id, names=name.__eq__),
    )


def _worker_command(name: str) -> list[str]:
    # -P: nothing that lies in the current directory is taken for a module.
    return [sys.executable, "-P", "-m", "facecli", "worker", "--name", name, "--with-stdin"]
