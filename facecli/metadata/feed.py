"""SqlTaskFeed: one thread per process reads changed tasks for all watchers.

Theory of operation. The thread runs while there are watchers. It waits for a change signal, then reads, in
one query, all watched tasks whose revision is newer than the one last delivered. `watch` delivers the first
state in the caller's thread, under the same lock, so that every watcher sees increasing revisions. A change
missed between that read and the registration, or by a lost notification, is found by the next query, which
runs at once after a new watcher and at least every `MAX_WAIT`.

A selection is read as a whole, once for all of its watchers. Snapshots carry no number by which they could be
ordered, so a watcher gets only those whose read began after it had its first one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from facecli.core.errors import FacecliError
from facecli.metadata.changes import Changes, FileChanges
from facecli.metadata.database_url import parse_url
from facecli.tasks.repository import TaskRepository
from facecli.tasks.selection import TaskSelection, TaskSnapshot, TaskState
from facecli.tasks.task import Task

MAX_WAIT = 1.0  # seconds between two queries without a change signal
QUERY_SHARE = 0.1  # upper limit of the share of time spent in queries
MAX_SHARED = 100  # changed tasks that are read once for all watchers of a selection
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


class _SelectionWatcher:
    """A watcher of a selection: the states last delivered, and the number of reads begun until then."""

    def __init__(
        self, states: Mapping[str, TaskState], changed: Callable[[TaskSnapshot], None], reads: int
    ) -> None:
        self.states = states
        self.changed = changed
        self.reads = reads


class _Selected:
    """A selection with its watchers, and the states last read."""

    def __init__(self, selection: TaskSelection, states: Mapping[str, TaskState]) -> None:
        self.selection = selection
        self.states = states
        self.watchers: dict[object, _SelectionWatcher] = {}

    def update(self, snapshot: TaskSnapshot, *, read: int) -> None:
        self.states = snapshot.states
        for watcher in self.watchers.values():
            if watcher.reads < read and watcher.states != snapshot.states:
                watcher.states = snapshot.states
                watcher.changed(snapshot)


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
        self._selected: dict[TaskSelection, _Selected] = {}
        self._reads = 0  # of the watched tasks, begun
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

    def watch_selection(
        self, selection: TaskSelection, changed: Callable[[TaskSnapshot], None]
    ) -> Callable[[], None]:
        snapshot, watcher = TaskSnapshot(states=self._repository.states(selection)), object()
        changed(snapshot)
        with self._lock:
            selected = self._selected.setdefault(selection, _Selected(selection, snapshot.states))
            selected.watchers[watcher] = _SelectionWatcher(snapshot.states, changed, self._reads)
            self._wakeup.set()
            self._ensure_thread()
        return partial(self._unwatch_selection, selected, watcher)

    def _unwatch_selection(self, selected: _Selected, watcher: object) -> None:
        with self._lock:
            selected.watchers.pop(watcher, None)
            if not selected.watchers and self._selected.get(selected.selection) is selected:
                del self._selected[selected.selection]
                self._wakeup.set()

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
            while self._begin_read():
                started = time.monotonic()
                try:
                    self._read()
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

    def _begin_read(self) -> bool:
        """Whether anything is watched."""
        with self._lock:
            self._wakeup.clear()
            self._reads += 1
            if not (self._watched or self._selected):
                self._finish_thread()  # under this lock, so that the next watcher starts a new thread
            return bool(self._watched or self._selected)

    def _read(self) -> None:
        """Read everything that is watched, and deliver what has changed."""
        with self._lock:
            revisions = {task_id: watched.task.revision for task_id, watched in self._watched.items()}
            selections, read = list(self._selected.values()), self._reads
        if revisions:
            self._deliver(self._repository.newer(revisions))
        for selected in selections:
            snapshot = self._snapshot(selected)
            with self._lock:
                selected.update(snapshot, read=read)

    def _snapshot(self, selected: _Selected) -> TaskSnapshot:
        """The states of a selection now, with the tasks that have changed since the last read."""
        before, states = selected.states, self._repository.states(selected.selection)
        if states == before:
            return TaskSnapshot(states=before)
        changed = [task_id for task_id, state in states.items() if state != before.get(task_id)]
        tasks: Iterable[Task] = ()
        if len(changed) <= MAX_SHARED:
            tasks = self._repository.several(changed, owner=selected.selection.owner)
        return TaskSnapshot(states=states, tasks={task.id: task for task in tasks})

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
