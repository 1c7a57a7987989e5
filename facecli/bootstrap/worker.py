"""Joins what a worker is made of."""

import os
import threading
import time
import uuid
from contextlib import ExitStack

from facecli.blobs.identity import check_identity, identity
from facecli.blobs.lock import locked
from facecli.bootstrap.factories import media_of, open_blob_store, recovery_of, url
from facecli.config.settings import Settings, data_directory
from facecli.core.errors import InvalidInput
from facecli.engines.registry import InstalledEngines
from facecli.metadata import schema
from facecli.metadata.database import open_database, translated
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue import runner
from facecli.queue.client import WorkQueue
from facecli.queue.runner import WorkRunner
from facecli.tasks.leases import Worker
from facecli.tasks.time_limits import AttemptLimits
from facecli.tasks.workflow import TaskWorkflow
from facecli.worker.heartbeat import beating
from facecli.worker.process import Ending, end
from facecli.worker.runner import task_runner

ROWS = 4  # connections: for the task, the beats, the looks, and the farewell
RECOVERY = 2
CONNECTIONS = ROWS + RECOVERY + runner.CONNECTIONS  # of a worker to PostgreSQL
FAREWELL = 2.0  # seconds that a worker takes to give its task back


def work(settings: Settings, *, name: str, with_stdin: bool) -> None:
    """Run tasks under this name until told to end. Two workers of one name are refused."""
    ending = Ending(with_stdin=with_stdin)
    directory = data_directory(settings)
    media = media_of(settings)
    media.version()
    data_dir_id = identity(directory)
    engine = open_database(url(settings, directory / "facecli.db"), connections=ROWS)
    schema.check(engine)
    check_identity(directory, known=SqlDirectoryRepository(engine).known)
    if not name or "/" in name or name.startswith("."):
        raise InvalidInput(f"{name!r} cannot be a worker's name")
    taken = f"a worker called {name} is running on {directory}; choose another --name"
    with locked(directory / "workers" / f"{name}.lock", taken=taken), ExitStack() as heart:
        tasks, workers = SqlTaskRepository(engine), SqlWorkerRepository(engine)
        queue = WorkQueue(url(settings, directory / "queue.db"), errors=translated, connections=RECOVERY)
        recovery = recovery_of(settings, tasks, workers, queue)
        me = Worker(id=f"{name}-{uuid.uuid4().hex[:12]}", name=name, data_dir_id=data_dir_id, pid=os.getpid())
        recovery.release_former(data_dir_id=data_dir_id, names=name.__eq__)
        heart.enter_context(beating(me, repository=workers, look=recovery.look))
        swapping = TaskWorkflow(
            repository=tasks,
            uploads=SqlUploadRepository(engine),
            blobs=open_blob_store(settings, directory),
            media=media,
            engines=InstalledEngines(media),
            workspace=directory / "work",
            clock=time.time,
            limits=AttemptLimits(
                task=settings.task_timeout,
                segment=settings.segment_timeout,
                max_crashes=settings.max_crashes,
            ),
        )
        stopping = threading.Event()
        WorkRunner(
            url(settings, directory / "queue.db"),
            worker=me.id,
            run=task_runner(swapping, worker=me.id, stopping=stopping),
            errors=translated,
        )
        ending.wait()
        stopping.set()

        def farewell() -> None:
            heart.close()  # or one more beat would enter again who has left
            recovery.give_back(me.id)

        end(farewell, grace=FAREWELL)
