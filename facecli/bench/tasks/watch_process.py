"""The side of a bench that watches: very many watchers, in a process of their own."""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from facecli.bench.load_watchers import ProbeLog, open_watchers
from facecli.bench.uploads.client_process import READY, Target
from facecli.client.connection import Connection
from facecli.core.errors import FacecliError


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Seconds from the change of a task's row to its arrival, of every event of every watcher."""

    delays: list[float]


def watch_on_order(pipe: "Pipe[Any, Any]", target: Target, count: int) -> None:
    """For each task's id: READY when all watch it, Watched when it has ended."""
    with target.connect() as connection:
        while True:
            task_id: str = pipe.recv()
            pipe.send(_watch(pipe, connection, task_id, user=target.user, count=count))


def _watch(pipe: "Pipe[Any, Any]", connection: Connection, task_id: str, *, user: str, count: int) -> Watched:
    complete_at = 0.0

    def ready() -> None:
        nonlocal complete_at
        complete_at = time.time()
        pipe.send(READY)

    stories = open_watchers(connection, task_id, user=user, count=count, ready=ready)
    for story in stories:
        _check(story, task_id)
    return Watched(
        delays=[
            at - task.updated_at for story in stories for at, task in story if task.updated_at > complete_at
        ]
    )


def _check(story: ProbeLog, task_id: str) -> None:
    """A bench that measured a wrong story would measure nothing."""
    revisions = [task.revision for _, task in story]
    if revisions != sorted(set(revisions)) or not story[-1][1].ended:
        raise FacecliError(f"a watcher of task {task_id} was not told everything, or not in order")
