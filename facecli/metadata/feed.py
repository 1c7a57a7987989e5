"""SqlTaskFeed: one thread per process reads changed tasks for all watchers.

Theory of operation. The thread runs while there are watchers. It waits for a change signal, then reads, in
one query, all watched tasks whose revision is newer than the one last delivered. `watch` delivers the first
state in the caller's thread, under the same lock, so that every watcher sees increasing revisions. A change
missed between that read and the registration, or by a lost notification, is found by the next query, which
runs at once after a new watcher and at least every `MAX_WAIT`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from facecli.core.errors import FacecliError
from facecli.metadata.changes import Changes, FileChanges
from facecli.metadata.database_url import parse_url
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task

MAX_WAIT = 1.0  # seconds between two queries without a change signal
QUERY_SHARE = 0.1  # upper limit of the share of time spent in queries
THREAD_NAME = "task-feed"

_log = logging.getLogger(__name__)


class _Watched:
    """A task with its watchers, and the newest state delivered to them."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.watchers: dict[object, Callable[[Task], None]] = {}

    def update(self, task: Task) -> None:
        if task.revision > self.task.revision:
            self.task = task
            for changed in self.watchers.values():
                changed(task)


def database_changes(url: str) -> Changes:
    """Changes of the database at `sqlite:////absolute/path` or `postgresql://…`."""
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        return FileChanges(str(address.database))
    from facecli.metadata.notifications import Notifications  # imports psycopg, which SQLite does not need

    return Notifications(url)


class SqlTaskFeed:
    """A TaskFeed on a repository, queried when `changes` signals."""

    def __init__(self, repository: TaskRepository, changes: Changes) -> None:
        self._repository = repository
        self._changes = changes
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._wakeup = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, task_id: str, changed: Callable[[Task], None]) -> Callable[[], None]:
        task, watcher = self._repository.get(task_id), object()
        with self._lock:
            watched = self._watched.get(task_id) or _Watched(task)
            watched.update(task)
            changed(watched.task)
            if not watched.task.ended:
                watched.watchers[watcher] = changed
                self._watched[task_id] = watched
                self._wakeup.set()
                self._ensure_thread()
            elif task_id in self._watched:
                self._remove(watched)
        return partial(self._unwatch, watched, watcher)

    def _unwatch(self, watched: _Watched, watcher: object) -> None:
        with self._lock:
            watched.watchers.pop(watcher, None)
            if not watched.watchers and self._watched.get(watched.task.id) is watched:
                self._remove(watched)

    def _remove(self, watched: _Watched) -> None:
        del self._watched[watched.task.id]
        self._wakeup.set()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._poll, name=THREAD_NAME, daemon=True)
            self._thread.start()

    def _poll(self) -> None:
        failing = False
        try:
            while revisions := self._revisions():
                started = time.monotonic()
                try:
                    self._deliver(self._repository.newer(revisions))
                    failing = False
                except FacecliError as error:
                    if not failing:
                        fields = {"error": error.message}
                        _log.warning("task feed cannot read the database; will retry", extra=fields)
                    failing = True
                self._wait((time.monotonic() - started) / QUERY_SHARE)
        finally:
            with self._lock:
                self._finish_thread()

    def _revisions(self) -> dict[str, int]:
        with self._lock:
            self._wakeup.clear()
            if not self._watched:
                self._finish_thread()  # under this lock, so that the next watcher starts a new thread
            return {task_id: watched.task.revision for task_id, watched in self._watched.items()}

    def _deliver(self, tasks: Iterable[Task]) -> None:
        with self._lock:
            for task in tasks:
                if watched := self._watched.get(task.id):
                    watched.update(task)
                    if watched.task.ended:
                        self._remove(watched)

    def _wait(self, min_wait: float) -> None:
        """Wait for a change signal, a new watcher, or `MAX_WAIT`; at least `min_wait`."""
        started = time.monotonic()
        while not self._wakeup.is_set() and not self._changes.wait():
            if time.monotonic() - started > MAX_WAIT:
                return
        time.sleep(max(0.0, started + min(min_wait, MAX_WAIT) - time.monotonic()))

    def _finish_thread(self) -> None:
        """End the calling thread's role, so that the next watcher starts another thread."""
        if self._thread is threading.current_thread():
            self._changes.close()
            self._thread = None
