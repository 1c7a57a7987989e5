"""Wakes who watches tasks: one thread per process asks the rows for everybody."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from facecli.core.errors import FacecliError
from facecli.core.tasks import Task, TaskRows

STOP_CHECK = 0.5  # seconds between two looks at a watcher's `stopped`

_log = logging.getLogger(__name__)


class _Watched:
    """A task that somebody watches: the newest state anybody saw, and how many wait for the next."""

    def __init__(self, task: Task, lock: threading.Lock) -> None:
        self.task = task
        self.watchers = 0
        self.changed = threading.Condition(lock)


class PollingFeed:
    """TaskFeed that asks `rows` every `interval` seconds, in one query, only while somebody watches."""

    def __init__(
        self, rows: TaskRows, interval: float = 0.1, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._rows = rows
        self._interval = interval
        self._wait = wait
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._poller: threading.Thread | None = None

    def follow(self, task_id: str, *, after: int, stopped: Callable[[], bool]) -> Iterator[Task]:
        """The task now, if its revision is above `after`, then after each change, until it has ended.

        Ends early when `stopped` says so, which is asked every half second. TaskNotFound for an unknown task.
        """
        task = self._rows.get(task_id)
        if task.revision > after:
            yield task
            after = task.revision
        if task.ended:
            return
        with self._watching(task) as watched:
            while not stopped():
                with self._lock:
                    self._keep_polling()
                    if watched.task.revision <= after:
                        watched.changed.wait(STOP_CHECK)
                    task = watched.task
                if task.revision > after:
                    yield task
                    after = task.revision
                if task.ended:
                    return

    @contextmanager
    def _watching(self, task: Task) -> Iterator[_Watched]:
        with self._lock:
            watched = self._watched.setdefault(task.id, _Watched(task, self._lock))
            if task.revision > watched.task.revision:
                watched.task = task
            watched.watchers += 1
        try:
            yield watched
        finally:
            with self._lock:
                watched.watchers -= 1
                if not watched.watchers:
                    del self._watched[task.id]

    def _keep_polling(self) -> None:
        if self._poller is None:
            self._poller = threading.Thread(target=self._poll, name="task-feed", daemon=True)
            self._poller.start()

    def _poll(self) -> None:
        failing = False
        try:
            while revisions := self._revisions():
                try:
                    self._announce(self._rows.newer(revisions))
                    failing = False
                except FacecliError as error:
                    if not failing:
                        _log.warning("the task feed waits for the database: %s", error)
                    failing = True
                self._wait(self._interval)
        finally:
            with self._lock:
                self._leave()

    def _revisions(self) -> dict[str, int]:
        with self._lock:
            if not self._watched:
                self._leave()  # under this lock, so that the next watcher starts a new poller at once
            return {task_id: watched.task.revision for task_id, watched in self._watched.items()}

    def _leave(self) -> None:
        if self._poller is threading.current_thread():
            self._poller = None

    def _announce(self, tasks: Iterable[Task]) -> None:
        with self._lock:
            for task in tasks:
                watched = self._watched.get(task.id)
                if watched and task.revision > watched.task.revision:
                    watched.task = task
                    watched.changed.notify_all()
