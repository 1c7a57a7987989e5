"""The watch of tasks for many threads: one stream for all, whatever their number.

Theory of operation. The stream names the tasks that have not ended. When another one is to be watched, the
stream is interrupted and opened again with one name more, after the last revision of each: nothing is lost.
Tasks that are added while it is being opened share the next opening. A server without a method for several
tasks is asked by each thread for its task.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from threading import Condition, Thread

from facecli.client.watches.separate_watches import is_missing_method
from facecli.client.watches.tasks_watch import TaskChange, TasksWatch
from facecli.core.errors import FacecliError, TaskNotFound
from facecli.tasks.view import TaskView

OpenWatch = Callable[[Mapping[str, int]], TasksWatch]  # of tasks after these revisions, by id
WatchOne = Callable[[str], Iterator[TaskView]]  # of the task with this ID, until it has ended


class SharedWatch:
    """Watches tasks until they end. `wait` is safe to use from many threads."""

    def __init__(self, open_watch: OpenWatch, watch_one: WatchOne) -> None:
        self._open_watch = open_watch
        self._watch_one = watch_one
        self._separate = False  # because the server is an older one
        self._changed = Condition()
        self._revisions = dict[str, int]()  # of the tasks that have not ended
        self._waiting = defaultdict[str, list[SimpleQueue[TaskChange | FacecliError | None]]](list)
        self._watch: TasksWatch | None = None  # the one that runs
        self._error: FacecliError | None = None  # that has ended all watching
        Thread(target=self._follow, name="shared-watch", daemon=True).start()

    def wait(self, task: TaskView, changed: Callable[[TaskView], None]) -> TaskView:
        """Return the task when it has ended; raises the watch's error, or TaskNotFound if it is deleted."""
        if task.ended:
            return task
        found = SimpleQueue[TaskChange | FacecliError | None]()
        with self._changed:
            if self._error:
                raise self._error
            if self._separate:
                found.put(None)
            self._waiting[task.id].append(found)
            known = self._revisions.get(task.id)
            self._revisions[task.id] = task.revision if known is None else min(known, task.revision)
            self._changed.notify_all()
            if self._watch:
                self._watch.interrupt()
        while not task.ended:
            change = found.get()
            if isinstance(change, FacecliError):
                raise change
            if change is None:
                return self._wait_alone(task, changed)
            if change.task is None:
                raise TaskNotFound(f"there is no task {task.id}")
            task = change.task
            changed(task)
        return task

    def stop(self, error: FacecliError) -> None:
        """Have every thread that waits, or will, raise this error."""
        with self._changed:
            if self._error:
                return
            self._error = error
            for waiting in self._waiting.values():
                for found in waiting:
                    found.put(error)
            self._changed.notify_all()
            if self._watch:
                self._watch.interrupt()

    def _wait_alone(self, task: TaskView, changed: Callable[[TaskView], None]) -> TaskView:
        for state in self._watch_one(task.id):
            if self._error:
                raise self._error
            task = state
            changed(task)
        return task

    def _begin_separate(self) -> None:
        with self._changed:
            self._separate = True
            for waiting in self._waiting.values():
                for found in waiting:
                    found.put(None)

    def _follow(self) -> None:
        """Watch what there is to watch, in a thread."""
        try:
            while watch := self._next_watch():
                for change in watch.changes(lambda reason, seconds: None):
                    self._tell(change)
        except FacecliError as error:
            if is_missing_method(error):
                self._begin_separate()
            else:
                self.stop(error)
        except ValueError:  # gRPC's error for a call on a closed channel
            if not self._error:
                raise
        finally:
            if not self._separate:
                self.stop(FacecliError("the watch of the tasks has ended"))

    def _next_watch(self) -> TasksWatch | None:
        """A watch of the tasks that have not ended, once there are any; None when all is stopped."""
        with self._changed:
            self._watch = None
            self._changed.wait_for(lambda: self._revisions or self._error)
            if self._error:
                return None
            self._watch = self._open_watch(dict(self._revisions))
            return self._watch

    def _tell(self, change: TaskChange) -> None:
        with self._changed:
            for found in self._waiting.get(change.task_id, ()):
                found.put(change)
            if change.task is None or change.task.ended:
                self._waiting.pop(change.task_id, None)
                self._revisions.pop(change.task_id, None)
            else:
                self._revisions[change.task_id] = change.task.revision
