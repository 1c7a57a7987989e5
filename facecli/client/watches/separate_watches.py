"""The watch of several tasks by a stream for each, for servers that have no method for all of them."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

import grpc

from facecli.client.watches.tasks_watch import TaskChange
from facecli.core.errors import FacecliError, NotFound
from facecli.tasks.view import TaskView

WATCHERS = 64  # tasks at a time; the next one is watched when one of these has ended
POLL_SECONDS = 0.5  # for Ctrl-C, which cannot interrupt an untimed wait of the main thread

Watch = Callable[[str], Generator[TaskView, None, None]]  # of the task with this ID, until it has ended


def is_missing_method(error: FacecliError) -> bool:
    """Whether the server has no such method, because it is older than this client."""
    cause = error.__cause__
    return isinstance(cause, grpc.Call) and cause.code() is grpc.StatusCode.UNIMPLEMENTED


class SeparateWatches:
    """Watches tasks after these revisions, by id; a task is deleted when it is not found any more."""

    def __init__(self, revisions: Mapping[str, int], watch: Watch) -> None:
        self._revisions = revisions
        self._watch = watch
        self._abandoned = Event()
        self._waiting = SimpleQueue[str]()
        self._found = SimpleQueue[TaskChange | FacecliError]()

    def changes(self) -> Iterator[TaskChange]:
        """Yield every change, until all tasks have ended; the first error ends the watch."""
        for task_id in self._revisions:
            self._waiting.put(task_id)
        for _ in range(min(WATCHERS, len(self._revisions))):
            Thread(target=self._follow, name="task-watch", daemon=True).start()
        running = set(self._revisions)
        try:
            while running:
                change = self._next()
                if change.task is None or change.task.ended:
                    running.discard(change.task_id)
                yield change
        finally:
            self._abandoned.set()

    def _next(self) -> TaskChange:
        while True:
            with suppress(Empty):
                found = self._found.get(timeout=POLL_SECONDS)
                if isinstance(found, FacecliError):
                    raise found
                return found

    def _follow(self) -> None:
        """Watch one task after the other, in a thread."""
        try:
            while not self._abandoned.is_set():
                self._follow_one(self._waiting.get_nowait())
        except Empty:
            pass
        except FacecliError as error:
            self._found.put(error)
        except ValueError:  # gRPC's error for a call on a closed channel
            if not self._abandoned.is_set():
                raise

    def _follow_one(self, task_id: str) -> None:
        try:
            with closing(self._watch(task_id)) as states:
                for task in states:
                    if self._abandoned.is_set():
                        return
                    if task.revision > self._revisions[task_id]:
                        self._found.put(TaskChange(task_id, task))
        except NotFound:
            self._found.put(TaskChange(task_id, None))
