"""Tells who watches tasks: one thread per process asks the rows for everybody."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from facecli.core.errors import FacecliError
from facecli.metadata.changes import Changes, FileChanges
from facecli.metadata.database_url import parsed
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task

LONGEST_WAIT = 1.0  # seconds after which the rows are asked although nobody was heard to write
SHARE = 0.1  # of the time that may go into asking

_log = logging.getLogger(__name__)


class _Watched:
    """A task that somebody watches: the newest state that anybody saw, and who is told of the next."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.watchers: dict[object, Callable[[Task], None]] = {}

    def tell(self, task: Task) -> None:
        if task.revision > self.task.revision:
            self.task = task
            for changed in self.watchers.values():
                changed(task)


def changes_of(url: str) -> Changes:
    """How one hears of changes in the database behind `sqlite:////absolute/path` or `postgresql://…`."""
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        return FileChanges(str(address.database))
    from facecli.metadata.notifications import Notifications  # psycopg, which SQLite has no need of

    return Notifications(url)


class SqlTaskFeed:
    """TaskFeed that asks `rows` in one query when there were `changes`, only while somebody watches."""

    def __init__(self, repository: TaskRepository, changes: Changes) -> None:
        self._repository = repository
        self._changes = changes
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._stirred = threading.Event()
        self._asker: threading.Thread | None = None

    def watch(self, task_id: str, changed: Callable[[Task], None]) -> Callable[[], None]:
        """Tell the task now and after each change, until it has ended or the result was called."""
        task, watcher = self._repository.get(task_id), object()
        with self._lock:
            watched = self._watched.get(task_id) or _Watched(task)
            watched.tell(task)
            changed(watched.task)
            if not watched.task.ended:
                watched.watchers[watcher] = changed
                self._watched[task_id] = watched
                self._stirred.set()
                self._keep_asking()
            elif task_id in self._watched:
                self._end(watched)
        return partial(self._forget, watched, watcher)

    def _forget(self, watched: _Watched, watcher: object) -> None:
        with self._lock:
            watched.watchers.pop(watcher, None)
            if not watched.watchers and self._watched.get(watched.task.id) is watched:
                self._end(watched)

    def _keep_asking(self) -> None:
        if self._asker is None:
            self._asker = threading.Thread(target=self._ask, name="task-feed", daemon=True)
            self._asker.start()

    def _ask(self) -> None:
        failing = False
        try:
            while revisions := self._revisions():
                began = time.monotonic()
                try:
                    self._announce(self._repository.newer(revisions))
                    failing = False
                except FacecliError as error:
                    if not failing:
                        _log.warning("the task feed waits for the database: %s", error)
                    failing = True
                self._wait((time.monotonic() - began) / SHARE)
        finally:
            with self._lock:
                self._leave()

    def _revisions(self) -> dict[str, int]:
        with self._lock:
            self._stirred.clear()
            if not self._watched:
                self._leave()  # under this lock, so that the next watcher starts a new thread at once
            return {task_id: watched.task.revision for task_id, watched in self._watched.items()}

    def _wait(self, least: float) -> None:
        """Until there may be something new to ask: a watcher that just came missed what was heard before."""
        began = time.monotonic()
        while not self._stirred.is_set() and not self._changes.wait():
            if time.monotonic() - began > LONGEST_WAIT:
                return
        time.sleep(max(0.0, began + min(least, LONGEST_WAIT) - time.monotonic()))

    def _leave(self) -> None:
        """Once for each thread: whoever comes next has another one."""
        if self._asker is threading.current_thread():
            self._changes.close()
            self._asker = None

    def _announce(self, tasks: Iterable[Task]) -> None:
        with self._lock:
            for task in tasks:
                if watched := self._watched.get(task.id):
                    watched.tell(task)
                    if watched.task.ended:
                        self._end(watched)

    def _end(self, watched: _Watched) -> None:
        del self._watched[watched.task.id]
        self._stirred.set()
