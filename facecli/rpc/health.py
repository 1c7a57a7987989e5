"""The standard health service: a watcher holds no thread, and one that does not read delays nobody.

Theory of operation: `grpc_health.v1.health.HealthServicer` sends to its watchers under the lock that a check
needs, so one watcher that leaves no room for its message stops every check. Here a check takes no lock, and
the messages of watchers leave from a pool of threads of their own.

Clients of several servers hold a watcher each. When there are too many, the oldest ends with UNIMPLEMENTED:
gRPC then takes the server for healthy, and asks no more. It would answer any other status by another watch.
"""

import threading
import time
from contextlib import ExitStack

import grpc
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1 import health_pb2_grpc as pb_grpc

from facecli.api.admission import Admission
from facecli.core.errors import NotFound
from facecli.rpc.calls import Calls
from facecli.rpc.interceptors.wrapping import close_at_end, without_thread
from facecli.rpc.request_stream import Send, end_call
from facecli.rpc.send_pool import SendPool

MAX_WATCHERS = 1000
WATCHER_SHARE = 5  # percent of them that one connection can take
SEND_TIMEOUT = 10.0  # seconds in which a watcher takes a message

Status = int  # of HealthCheckResponse


class _StatusWatcher:
    """Sends the newest status of a service when the previous message is on its way."""

    def __init__(self, context: grpc.ServicerContext, send: Send, send_pool: SendPool) -> None:
        self._context = context
        self._send = send
        self._send_pool = send_pool
        self._newest: Status | None = None
        self._sent: Status | None = None
        self._last = False
        self._evicted = False
        self._scheduled = False
        self._sending_since: float | None = None
        self._lock = threading.Lock()

    def changed(self, status: Status, *, last: bool = False) -> None:
        """Schedule the delivery of a status, and the end of the call after the last one; returns at once."""
        with self._lock:
            self._newest, self._last = status, self._last or last
            self._schedule()

    def evict(self) -> None:
        """End the call in a way that makes gRPC take the server for healthy."""
        with self._lock:
            self._evicted = self._last = True
            self._schedule()

    def check(self) -> None:
        """Cancel the call of a client that does not take its message."""
        since = self._sending_since
        if since is not None and time.monotonic() - since > SEND_TIMEOUT:
            self._context.cancel()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._send_pool.submit(self._deliver)

    def _deliver(self) -> None:
        """`_scheduled` stays set while this runs, so that runs never overlap, and when the call has ended."""
        status, last = self._newest, self._last
        self._sending_since = time.monotonic()
        if status != self._sent:
            self._send(pb.HealthCheckResponse(status=status))
            self._sent = status
        self._sending_since = None
        if last:
            self._end()
            return
        with self._lock:
            self._scheduled = False
            if self._newest != status or self._last != last:
                self._schedule()

    def _end(self) -> None:
        if not self._evicted:
            end_call(self._context, self._send)
            return
        self._context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        self._context.set_details("this server has too many health watchers")
        self._send(None)


class HealthServicer(pb_grpc.HealthServicer):
    """Answers from the statuses that were set. After `shut_down` every service is NOT_SERVING for good."""

    def __init__(self, calls: Calls, *, max_watchers: int = MAX_WATCHERS) -> None:
        self._calls = calls
        self._statuses: dict[str, Status] = {}
        self._watchers: dict[_StatusWatcher, str] = {}
        self._admission = Admission(max_watchers, "health watchers", share=WATCHER_SHARE, evict_after=0)
        self._send_pool = SendPool(threads=1)
        self._shut_down = False
        self._lock = threading.Lock()  # of changes

    def Check(self, request: pb.HealthCheckRequest, context: grpc.ServicerContext) -> pb.HealthCheckResponse:
        status = self._statuses.get(request.service)
        if status is None:
            raise NotFound(f"this server has no service {request.service}")
        return pb.HealthCheckResponse(status=status)

    @without_thread
    def Watch(  # type: ignore[override]  # sends through `send`: interceptors/wrapping.py
        self, request: pb.HealthCheckRequest, context: grpc.ServicerContext, send: Send
    ) -> None:
        watcher, started = _StatusWatcher(context, send, self._send_pool), time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(
                self._admission.acquire(
                    self._calls.of(context).peer,
                    idle_seconds=lambda: time.monotonic() - started,
                    on_evict=watcher.evict,
                )
            )
            with self._lock:
                self._watchers[watcher] = request.service
                status = self._statuses.get(request.service, pb.HealthCheckResponse.SERVICE_UNKNOWN)
                watcher.changed(status, last=self._shut_down)
            stack.callback(self._watchers.pop, watcher)
            close_at_end(context, stack)

    def set(self, service: str, status: Status) -> None:
        """Set the status of a service and tell its watchers; ignored after `shut_down`."""
        with self._lock:
            if not self._shut_down:
                self._statuses[service] = status
                for watcher, watched in tuple(self._watchers.items()):
                    if watched == service:
                        watcher.changed(status)

    def is_serving(self, service: str) -> bool:
        return self._statuses.get(service) == pb.HealthCheckResponse.SERVING

    def recheck(self) -> None:
        """End the calls of watchers that do not take their messages."""
        for watcher in tuple(self._watchers):
            watcher.check()

    def shut_down(self) -> None:
        """Tell every watcher that its service is NOT_SERVING, and end the call."""
        with self._lock:
            self._shut_down = True
            self._statuses = dict.fromkeys(self._statuses, pb.HealthCheckResponse.NOT_SERVING)
            for watcher, service in tuple(self._watchers.items()):
                status = self._statuses.get(service, pb.HealthCheckResponse.SERVICE_UNKNOWN)
                watcher.changed(status, last=True)

    def close(self) -> None:
        self._send_pool.close()
