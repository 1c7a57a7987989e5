"""Simulates many workers on one PostgreSQL: idle, then with a backlog of one owner before everybody else."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from facecli.core.events import EventBus
from facecli.metadata import schema
from facecli.metadata.database import open_database, translate_errors
from facecli.metadata.tasks import SqlTaskRepository
from facecli.queue.client import DbosTaskQueue, migrate_queue
from facecli.tasks.store import TaskStore
from facecli.tasks.task import NewTask, Task
from tests.support.builders import NEW
from tests.support.postgres import Postgres
from tests.support.scale.load import load
from tests.support.scale.operations import quantile
from tests.support.scale.rows import LARGE
from tests.support.scale.simulated_worker import SimulatedWorker

ENGINE = "mock"
LARGE_SHARE = 0.9  # of the waiting tasks; the large owner creates its own first
OTHERS = 50  # owners of the rest
STARTED_AT_ONCE = 4  # workers; a start takes half a second of CPU
LATE_INTERVAL = 1.0  # seconds between two tasks of owners who come while the others wait
CONNECTIONS = 1000  # 12 of each worker, and those of the server
SETTINGS = ("shared_preload_libraries=pg_stat_statements",)

Show = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Numbers of workers and of waiting tasks, seconds of a task, and seconds to measure."""

    workers: int
    waiting: int
    task: float
    idle: float
    busy: float


def simulate(server: Postgres, simulation: Simulation, show: Show) -> None:
    """Print rates and loads of idle workers, then of a backlog, on a server with `SETTINGS`."""
    url = _prepared(server)
    counters = partial(load, url, _pid(server), os.getpid())
    with _running(url, simulation):
        before = counters()
        time.sleep(simulation.idle)
        idle = counters().since(before, workers=simulation.workers)
        show(f"{simulation.workers} idle workers, load average {os.getloadavg()[0]:.1f}:\n  {idle}")
    with ExitStack() as stack:
        queue = stack.enter_context(closing(DbosTaskQueue(url, errors=translate_errors)))
        engine = open_database(url)
        stack.callback(engine.dispose)
        create = partial(
            _create, TaskStore(SqlTaskRepository(engine), clock=time.time, events=EventBus()), queue
        )
        began = time.monotonic()
        owners = {create(owner).id: owner for owner in _owners(simulation.waiting)}
        show(f"created {len(owners)} tasks at {len(owners) / (time.monotonic() - began):.0f}/s")
        claims = stack.enter_context(_running(url, simulation))
        late, before, first, creations = dict[str, float](), counters(), len(claims()), list[float]()
        while time.monotonic() - before.at < simulation.busy:
            at = time.perf_counter()
            late[create(f"late-{len(late)}").id] = time.time()
            creations.append(time.perf_counter() - at)
            time.sleep(LATE_INTERVAL)
        after, claimed = counters(), claims()
        busy = after.since(before, workers=simulation.workers)
        show(f"backlog, load average {os.getloadavg()[0]:.1f}:\n  {busy}")
        show(f"  dispatched {(len(claimed) - first) / (after.at - before.at):.1f} tasks/s")
        show(f"  creating a task: {_spread(creations)}")
        waits = [claimed[task_id] - at for task_id, at in late.items() if task_id in claimed]
        show(f"  claimed {len(waits)} of {len(late)} late tasks, after {_spread(waits) if waits else 'none'}")
        of_large = [owners[task_id] == LARGE for task_id in claimed if task_id in owners]
        show(f"  claimed of the large owner {sum(of_large)}, of {OTHERS} others {of_large.count(False)}")


@contextmanager
def _running(url: str, simulation: Simulation) -> Iterator[Callable[[], dict[str, float]]]:
    """Run workers, all of which are ready; the function returns the times of all claims so far."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facecli-scale-")))
        files = [directory / str(number) for number in range(simulation.workers)]
        for number, file in enumerate(files):
            worker = SimulatedWorker(
                url=url, number=number, engines=(ENGINE,), seconds=simulation.task, claims=str(file)
            )
            stack.callback(worker.start())
            if number % STARTED_AT_ONCE == 0:
                while not (file.exists() and file.stat().st_size):
                    time.sleep(0.1)
        while not all(file.exists() and file.stat().st_size for file in files):
            time.sleep(0.1)
        yield partial(_claims, files)


def _owners(waiting: int) -> Iterator[str]:
    large = int(LARGE_SHARE * waiting)
    others = (f"user-{number % OTHERS}" for number in range(waiting - large))
    return itertools.chain(itertools.repeat(LARGE, large), others)


def _create(tasks: TaskStore, queue: DbosTaskQueue, owner: str) -> Task:
    new = NewTask(owner=owner, image=NEW.image, video=NEW.video, engine=ENGINE)
    task = tasks.create(new)
    queue.enqueue(work_id=task.work_id, task_id=task.id, engine=task.engine)
    return task


def _claims(files: Sequence[Path]) -> dict[str, float]:
    """The times of the first claims by the ids of the tasks."""
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    claims = dict[str, float]()
    for task_id, at in lines:
        if task_id != "ready":
            claims[task_id] = min(float(at), claims.get(task_id, float(at)))
    return claims


def _prepared(server: Postgres) -> str:
    """The URL of a new database that counts its statements."""
    server.start()
    url = server.new_database()
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    engine = open_database(url)
    schema.upgrade(engine)
    engine.dispose()
    migrate_queue(url)
    return url


def _pid(server: Postgres) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


def _spread(seconds: Sequence[float]) -> str:
    shares = {"min": 0.0, "p50": 0.5, "p95": 0.95, "max": 1.0}
    return (
        ", ".join(f"{name} {1000 * quantile(seconds, share):.0f}" for name, share in shares.items()) + " ms"
    )
