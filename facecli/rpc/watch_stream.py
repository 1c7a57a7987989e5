"""Watch streams, which hold no thread while nothing changes."""

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import grpc

from facecli.api.task_changes import TaskChanges
from facecli.core.errors import FacecliError
from facecli.rpc.request_stream import end_call
from facecli.rpc.send_pool import SendPool
from facecli.tasks.selection import TaskSnapshot
from facecli.tasks.task import Task
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb

KEEP_ALIVE = 15.0  # seconds of silence, after which a stream of several tasks sends a sign of life

Send = Callable[[pb.WatchTaskResponse | pb.WatchTasksResponse | None], None]  # None ends the call


class Encoder:
    """Encodes a task once for many watchers that are sent it one after the other."""

    def __init__(self) -> None:
        self._last: tuple[Task, pb.WatchTaskResponse] | None = None

    def message(self, task: Task) -> pb.WatchTaskResponse:
        last = self._last
        if last is None or last[0] is not task:
            self._last = last = (task, wire.watch_message(task))
        return last[1]


class WatchStream(ABC):
    """A call without a thread: the send pool sends its messages, one at a time."""

    def __init__(
        self, context: grpc.ServicerContext, send: Send, *, send_pool: SendPool, request_id: str
    ) -> None:
        self._context = context
        self._send = send
        self._send_pool = send_pool
        self._request_id = request_id
        self._error: FacecliError | None = None
        self._woken = False
        self._scheduled = False
        self._lock = threading.Lock()

    def end(self, error: FacecliError) -> None:
        """End the call with an error after the newest change was sent; returns at once."""
        self._error = error
        self._wake()

    @abstractmethod
    def keep_alive(self) -> None:
        """Send a sign of life if the stream needs one; returns at once. To be called periodically."""
        ...

    @abstractmethod
    def _send_next(self) -> bool:
        """Send at most one message; whether it was the last one. Runs in the send pool."""
        ...

    def _wake(self) -> None:
        """Have `_send_next` run, once more if it runs already."""
        with self._lock:
            self._woken = True
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._send_pool.submit(self._deliver)

    def _deliver(self) -> None:
        """Run `_send_next`, or end the call.

        `_scheduled` stays set while this runs, so that runs never overlap, and forever once the call ended.
        """
        with self._lock:
            self._woken = False
            error = self._error
        try:
            last = self._send_next()
        except FacecliError as failure:
            last, error = False, failure
        if last or error:
            end_call(self._context, self._send, None if last else error, request_id=self._request_id)
            return
        with self._lock:
            self._scheduled = False
            if self._woken:
                self._schedule()


class Watcher(WatchStream):
    """Sends the newest revision of a task above `after` when the previous one is on its way, until it ends.

    Revisions that are superseded meanwhile are skipped, so a slow client costs no memory.
    """

    def __init__(
        self,
        context: grpc.ServicerContext,
        send: Send,
        *,
        after: int,
        send_pool: SendPool,
        encoder: Encoder,
        request_id: str,
    ) -> None:
        super().__init__(context, send, send_pool=send_pool, request_id=request_id)
        self._after = after
        self._encoder = encoder
        self._newest: Task | None = None

    def changed(self, task: Task) -> None:
        """Schedule the delivery of a new revision; returns at once."""
        self._newest = task
        self._wake()

    def keep_alive(self) -> None:
        """Do nothing: silence is legal here, and clients ask for the status."""

    def _send_next(self) -> bool:
        task = self._newest
        if task and task.revision > self._after:
            self._send(self._encoder.message(task))
            self._after = task.revision
        return bool(task and task.ended)


class TasksWatcher(WatchStream):
    """Sends the changes of several tasks, the first message at once."""

    def __init__(
        self,
        context: grpc.ServicerContext,
        send: Send,
        *,
        changes: TaskChanges,
        send_pool: SendPool,
        request_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(context, send, send_pool=send_pool, request_id=request_id)
        self._changes = changes
        self._clock = clock
        self._snapshot: TaskSnapshot | None = None
        self._sent_at = -math.inf

    def changed(self, snapshot: TaskSnapshot) -> None:
        """Schedule the delivery of what has changed; returns at once. TaskNotFound from the first call."""
        if self._snapshot is None:
            self._changes.check(snapshot)
        self._snapshot = snapshot
        self._wake()

    def keep_alive(self) -> None:
        if self._silent:
            self._wake()

    def _send_next(self) -> bool:
        if self._snapshot is None:
            return False
        update = self._changes.next(self._snapshot)
        if self._silent or not update.empty:
            self._send(
                pb.WatchTasksResponse(
                    tasks=[wire.to_message(task) for task in update.tasks],
                    deleted_task_ids=update.deleted,
                    up_to_date=update.up_to_date,
                    priorities=wire.priorities(update.tasks),
                )
            )
            self._sent_at = self._clock()
        if not update.up_to_date:
            self._wake()
        return update.last

    @property
    def _silent(self) -> bool:
        return self._clock() - self._sent_at >= KEEP_ALIVE
