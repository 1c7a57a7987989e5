"""The watcher process of `bench task`: a load generator for watch streams."""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from facecli.bench.load_watchers import WatchLog, open_watchers
from facecli.bench.messages import READY
from facecli.bench.target import Target
from facecli.client.connection import Connection
from facecli.core.errors import FacecliError


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchResult:
    """Seconds from the commit of a task's change to its arrival, for every update of every watcher."""

    delays: list[float]


def run_watchers(pipe: "Pipe[Any, Any]", target: Target, count: int) -> None:
    """For each task id received: READY when all watch it, WatchResult when it has ended."""
    with target.connect() as connection:
        while True:
            task_id: str = pipe.recv()
            pipe.send(_watch(pipe, connection, task_id, user=target.user, count=count))


def _watch(
    pipe: "Pipe[Any, Any]", connection: Connection, task_id: str, *, user: str, count: int
) -> WatchResult:
    ready_at = 0.0

    def ready() -> None:
        nonlocal ready_at
        ready_at = time.time()
        pipe.send(READY)

    logs = open_watchers(connection, task_id, user=user, count=count, ready=ready)
    for log in logs:
        _check(log, task_id)
    return WatchResult(
        delays=[at - task.updated_at for log in logs for at, task in log if task.updated_at > ready_at]
    )


def _check(log: WatchLog, task_id: str) -> None:
    """Raise FacecliError if updates were lost or reordered, which would make the measurement worthless."""
    revisions = [task.revision for _, task in log]
    if revisions != sorted(set(revisions)) or not log[-1][1].ended:
        raise FacecliError(f"a watcher of task {task_id} missed updates or received them out of order")
