"""Assembles and runs a worker process."""

import logging
import os
import threading
import time
import uuid
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from facecli import __version__
from facecli.blobs.identity import check_identity, identity, name_directory
from facecli.blobs.lock import locked
from facecli.bootstrap.blob_store import check_store, open_blob_store
from facecli.bootstrap.factories import (
    create_engines,
    create_recovery,
    database_url,
    ffmpeg_labeller,
    ffmpeg_media,
    private_data_directory,
    queue_errors,
    queue_file,
)
from facecli.bootstrap.service.log_level import obey, reread_log_level
from facecli.bootstrap.service.traces import traces
from facecli.bootstrap.service.watchdog import database_answer, watched
from facecli.config.loader import LoadedSettings
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.addresses import checked_address
from facecli.core.errors import InvalidInput
from facecli.core.events import EventBus
from facecli.core.os_errors import translate_os_errors
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.task_records.turns import SqlTaskTurns
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue import runner
from facecli.queue.client import DbosTaskQueue
from facecli.queue.runner import DbosTaskRunner
from facecli.tasks.dispatch import Dispatch
from facecli.tasks.leases import Worker
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.steps.run import Tools
from facecli.tasks.store import TaskStore
from facecli.tasks.time_limits import AttemptLimits
from facecli.tasks.workflow import TaskWorkflow
from facecli.telemetry.event_log import log_events
from facecli.telemetry.service_manager import ServiceManager
from facecli.worker.heartbeat import send_heartbeats
from facecli.worker.memory import return_freed_memory
from facecli.worker.process import ShutdownSignal, exit_process
from facecli.worker.runner import TaskRunner

_log = logging.getLogger(__name__)

METADATA_CONNECTIONS = 4  # for the task, the heartbeat, the checks of leases, and the release at shutdown
RECOVERY_CONNECTIONS = 2
CONNECTIONS = METADATA_CONNECTIONS + RECOVERY_CONNECTIONS + runner.CONNECTIONS  # of a worker to PostgreSQL
MAX_NAME = 100  # bytes of a worker's name, which is part of a file name and of every task it runs
READY = "waits for tasks, or runs one"
GRACE = 2.0  # seconds for a worker to release its task at shutdown


def run_worker(loaded: LoadedSettings, manager: ServiceManager, *, name: str, with_stdin: bool) -> None:
    """Run tasks under this name until a shutdown signal; DirectoryInUse if the name is in use."""

    def reload() -> None:
        manager.reloading()
        reread_log_level(loaded.profile)
        manager.ready(READY)

    shutdown = ShutdownSignal(with_stdin=with_stdin, reload=None if with_stdin else reload, order=obey)
    directory = data_directory(loaded.settings)
    with private_data_directory(directory):
        _run(loaded.settings, directory, name=name, shutdown=shutdown, manager=manager)


def _run(
    settings: Settings, directory: Path, *, name: str, shutdown: ShutdownSignal, manager: ServiceManager
) -> None:
    return_freed_memory()
    media = ffmpeg_media(settings)
    media.version()
    if settings.blobs and settings.database:
        with translate_os_errors(str(directory)):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    else:
        identity(directory)  # of a server on this machine
    url = database_url(settings, directory / "facecli.db")
    engine = open_database(url, connections=METADATA_CONNECTIONS)
    schema.check(engine)
    directories = SqlDirectoryRepository(engine)
    if settings.blobs and settings.database:
        name_directory(directory, remember=directories.remember)
    data_dir_id = identity(directory)
    check_identity(directory, known=directories.known)
    blobs = open_blob_store(settings, directory)
    check_store(blobs, known=directories.known)
    if not 0 < len(name.encode()) <= MAX_NAME or "/" in name or name.startswith("."):
        raise InvalidInput(f"{name[:MAX_NAME]!r} is not a valid worker name: use 1 to {MAX_NAME} bytes")
    taken = f"a worker named {name} is running on {directory}; choose another --name"
    with (
        locked(directory / "workers" / f"{name}.lock", taken=taken),
        ExitStack() as listener,
        ExitStack() as heartbeats,
        ExitStack() as tracing,
    ):
        tracer = tracing.enter_context(traces(settings, service="facecli-worker"))
        events = EventBus()
        log_events(events)
        if shutdown.supervisor:
            events.subscribe(shutdown.supervisor)
        engines = create_engines(settings, media)
        if settings.metrics:
            from facecli.bootstrap.metrics import worker_metrics  # loads prometheus_client

            address = checked_address(settings.metrics, option="--metrics", lowest_port=0)
            url = listener.enter_context(worker_metrics(address, events, engines=engines.names()))
            _log.info("metrics served", extra={"url": url})
        tasks = TaskStore(SqlTaskRepository(engine), clock=time.time, events=events)
        workers = SqlWorkerRepository(engine)
        queue_url = database_url(settings, queue_file(directory))
        queue = DbosTaskQueue(queue_url, errors=queue_errors, connections=RECOVERY_CONNECTIONS)
        logs = SqlTaskLogRepository(engine)
        recovery = create_recovery(
            settings, tasks=tasks, logs=logs, workers=workers, queue=queue, events=events
        )
        running = [engine for engine in engines.start() if not engine.broken and not engine.unavailable]
        worker = Worker(
            id=f"{name}-{uuid.uuid4().hex[:12]}",
            name=name,
            data_dir_id=data_dir_id,
            pid=os.getpid(),
            engines=tuple(engine.name for engine in running),
            version=__version__,
        )
        recovery.recover_former(data_dir_id=data_dir_id, is_former=name.__eq__)
        heartbeats.enter_context(send_heartbeats(worker, repository=workers, check=recovery.check))
        tools = Tools(
            tasks=tasks,
            uploads=SqlUploadRepository(engine),
            blobs=blobs,
            media=media,
            labeller=ffmpeg_labeller(settings, signs=True),
            engines=engines,
        )
        workflow = TaskWorkflow(tools, workspace=directory / "work", limits=_limits(settings), tracer=tracer)
        stopping = threading.Event()
        task_runner = TaskRunner(
            workflow,
            worker=worker.id,
            dispatch=Dispatch(
                SqlTaskTurns(engine), tasks=tasks.repository, workers=workers, engines=worker.engines
            ),
            stopping=stopping,
            open_log=lambda task_id, run: RunLog(logs, task_id, run=run, directory=str(directory)),
        )
        DbosTaskRunner(
            queue_url,
            worker=worker.id,
            engines=worker.engines,
            run=task_runner.run,
            errors=queue_errors,
            workers=len(workers.listed()),
        )
        shown = [f"{engine.name} ({engine.about})" if engine.about else engine.name for engine in running]
        _log.info("worker started", extra={"worker": name, "engines": ", ".join(shown)})
        answer = database_answer(settings, partial(directories.known, data_dir_id))
        listener.enter_context(watched(manager, [answer]))
        manager.ready(READY)
        shutdown.wait()
        shutdown.exit_on_next()
        manager.stopping("the running task is given back")
        stopping.set()

        def release() -> None:
            heartbeats.close()  # one more heartbeat would register the worker again
            recovery.release(worker.id)
            tracing.close()

        exit_process(release, grace=GRACE)


def _limits(settings: Settings) -> AttemptLimits:
    return AttemptLimits(
        task=settings.task_timeout,
        segment=settings.segment_timeout,
        max_crashes=settings.max_crashes,
        stored=settings.max_user_bytes,
    )
