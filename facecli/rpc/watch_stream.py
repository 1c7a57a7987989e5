"""One watch stream: the revision that its client has seen, and the newest one to send."""

import threading
from collections.abc import Callable

import grpc

from facecli.core.errors import FacecliError
from facecli.rpc.request_stream import end_call
from facecli.rpc.send_pool import SendPool
from facecli.tasks.task import Task
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb

Send = Callable[[pb.WatchTaskResponse | None], None]  # None ends the call


class Encoder:
    """Encodes a task once for many watchers that are sent it one after the other."""

    def __init__(self) -> None:
        self._last: tuple[Task, pb.WatchTaskResponse] | None = None

    def message(self, task: Task) -> pb.WatchTaskResponse:
        last = self._last
        if last is None or last[0] is not task:
            self._last = last = (task, pb.WatchTaskResponse(task=wire.to_message(task)))
        return last[1]


class Watcher:
    """Sends the newest revision above `after` when the previous message is on its way, until the task ends.

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
        self._context = context
        self._send = send
        self._after = after
        self._send_pool = send_pool
        self._encoder = encoder
        self._request_id = request_id
        self._newest: Task | None = None
        self._error: FacecliError | None = None
        self._scheduled = False
        self._lock = threading.Lock()

    def changed(self, task: Task) -> None:
        """Schedule the delivery of a new revision; returns at once."""
        with self._lock:
            self._newest = task
            self._schedule()

    def end(self, error: FacecliError) -> None:
        """End the call with an error after the newest revision was sent; returns at once."""
        with self._lock:
            self._error = error
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._send_pool.submit(self._deliver)

    def _deliver(self) -> None:
        """Send the newest revision.

        `_scheduled` stays set while this runs, so that runs never overlap, and forever once the call ended.
        """
        task, error = self._newest, self._error
        if task and task.revision > self._after:
            self._send(self._encoder.message(task))
            self._after = task.revision
        if task and task.ended:
            self._finish(None)
        elif error:
            self._finish(error)
        else:
            with self._lock:
                self._scheduled = False
                if self._newest is not task or self._error is not error:
                    self._schedule()

    def _finish(self, error: FacecliError | None) -> None:
        end_call(self._context, self._send, error, request_id=self._request_id)
