"""The gRPC server: services, interceptors and limits; start and graceful stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.api.admission import Admission, Admissions
from facecli.api.authentication import Authenticator
from facecli.api.client_address import TrustedProxies
from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.api.stream_deadline import StreamLimits
from facecli.core.events import EventBus
from facecli.core.tls import ServerTls
from facecli.rpc.calls import Calls
from facecli.rpc.client_waits import ClientWaits
from facecli.rpc.files import FileServicer
from facecli.rpc.health import HealthServicer
from facecli.rpc.in_process.server import InProcessServer
from facecli.rpc.interceptors.authentication import authentication
from facecli.rpc.interceptors.concurrency import concurrency
from facecli.rpc.interceptors.dispatch import Dispatch
from facecli.rpc.interceptors.errors import errors
from facecli.rpc.interceptors.requests import Requests
from facecli.rpc.interceptors.responses import Responses
from facecli.rpc.interceptors.subjects import Subjects
from facecli.rpc.interceptors.wrapping import Wrapping
from facecli.rpc.memory import keep_freed_memory
from facecli.rpc.methods import method_of
from facecli.rpc.send_pool import SendPool
from facecli.rpc.tasks import TaskServicer
from facecli.rpc.thread_pools import CallPool
from facecli.rpc.tls import listen
from facecli.rpc.upload_streams import UploadStreams
from facecli.rpc.uploads import UploadServicer
from facecli.rpc.videos import VideoServicer
from facecli.tasks.previews.previews import Previews
from facecli.tasks.service import TaskService
from facecli.telemetry.traces.spans import NO_TRACER, Tracer
from facecli.uploads.service import UploadService
from facecli.webhooks.service import Webhooks
from facecli.wire.channel import server_options
from facecli.wire.generated.file_service_pb2_grpc import add_FileServiceServicer_to_server
from facecli.wire.generated.task_service_pb2_grpc import add_TaskServiceServicer_to_server
from facecli.wire.generated.upload_service_pb2_grpc import add_UploadServiceServicer_to_server
from facecli.wire.generated.video_service_pb2_grpc import add_VideoServiceServicer_to_server

REJECT_THREADS = 32  # threads for calls that get no slot
BACKLOG = 512  # calls that wait for a thread; others are refused
MAX_WAITS = 128  # calls whose clients have sent no message yet, or do not take the answer
MAX_HEALTH_WAITS = 16
HEALTH_BACKLOG = 4096  # larger, because any caller may ask for it
WAIT_SHARE = 75  # percent of these that one user, or one connection of unknown users, can take
UPLOAD_SERVICE = "video.UploadService"
HEALTH_SERVICE = "grpc.health.v1.Health"
SERVICES = ("", "video.VideoService", UPLOAD_SERVICE, "video.TaskService", "video.FileService")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """Limits of this transport; the concurrent calls of each kind are limited by `ServerParts.admissions`."""

    streams: int  # concurrent calls of one connection, 0 for any; others wait in the client
    connections: int
    idle: float  # seconds
    min_rate: int  # bytes a second


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParts:
    """The services behind the server; `info` describes the server to a user."""

    upload_service: UploadService
    task_service: TaskService
    webhooks: Webhooks
    previews: Previews
    downloads: Downloads
    info: Callable[[str], ServerInfo]
    authenticator: Authenticator
    admissions: Admissions
    events: EventBus
    proxies: TrustedProxies
    tracer: Tracer = NO_TRACER

    @property
    def threads(self) -> int:
        """Enough that uploads and downloads take none that short calls need; those that wait have others."""
        calls = self.admissions
        kinds = (calls.uploads, calls.downloads, calls.calls, calls.creations, calls.previews)
        return sum(kind.limit for kind in kinds) + REJECT_THREADS


class Server:
    """Serves from `start` to `stop`, at `address`."""

    def __init__(
        self,
        parts: ServerParts,
        *,
        bind: str,
        limits: ServerLimits,
        tls: ServerTls | None,
        reflection: bool = False,
    ) -> None:
        keep_freed_memory()
        self._uploads_end = threading.Event()
        self._stopped: threading.Event | None = None  # set when every call has ended
        self._send_pool = SendPool()
        calls = Calls(parts.authenticator, parts.events, parts.proxies, parts.tracer)
        self._health = HealthServicer(calls)
        self._waits = _client_waits(MAX_WAITS, calls, limits)
        self._health_waits = _client_waits(MAX_HEALTH_WAITS, calls, limits)
        threads = parts.threads + self._waits.max_threads
        self._pool = CallPool(threads=threads, backlog=BACKLOG, name="call")
        self._health_pool = CallPool(
            threads=self._health_waits.max_threads, backlog=HEALTH_BACKLOG, name="health"
        )
        self._dispatch = dispatch = Dispatch(
            parts.authenticator,
            certificates=bool(tls and tls.client_ca),
            calls=self._pool,
            health=self._health_pool,
        )
        interceptors = self._interceptors(calls, dispatch, parts.admissions.calls)
        self._server = grpc.server(
            self._pool,
            interceptors=interceptors,
            options=server_options(max_streams=limits.streams, max_connections=limits.connections),
        )
        self.in_process = InProcessServer(self._server, interceptors, self._pool)
        self.stream_limits = StreamLimits(
            idle=limits.idle, min_rate=limits.min_rate, draining=self._uploads_end
        )
        self._add_uploads(parts, calls, self.stream_limits)
        self._tasks = self._add_tasks(parts, calls)
        self.files = self._add_files(parts, calls, self.stream_limits)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if reflection:
            from facecli.rpc.reflection import add_reflection  # most servers need none

            add_reflection(self._server, [*filter(None, SERVICES), HEALTH_SERVICE], self._waits)
        self.address = listen(self._server, bind, tls)

    def start(self) -> None:
        self._server.start()
        for service in SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def report_storage(self, serving: bool, uploading: bool) -> None:
        """Set what the health service says of uploads and of all other services."""
        for service in SERVICES:
            healthy = uploading if service == UPLOAD_SERVICE else serving
            states = health_pb2.HealthCheckResponse
            self._health.set(service, states.SERVING if healthy else states.NOT_SERVING)

    def recheck(self) -> None:
        """End calls that cannot do so themselves: watchers with a revoked token, which have no thread, and
        calls whose thread is blocked by a client that does not write or does not read."""
        self._tasks.recheck()
        self.files.recheck()
        self._waits.recheck()
        self._health_waits.recheck()
        self._health.recheck()

    def ready(self) -> bool:
        """Whether the health service says that the server takes calls."""
        return self._health.is_serving("")

    def drain(self, seconds: float) -> None:
        """Take no new calls, and end those that wait; the others are cancelled after so many seconds."""
        self._health.shut_down()
        self._dispatch.drain()
        self._tasks.drain()
        self._waits.drain()
        self._health_waits.drain()
        self._stopped = self._server.stop(seconds)

    def wait_drained(self, timeout: float) -> bool:
        """Whether all calls end within so many seconds after `drain`."""
        return self._stopped is None or self._stopped.wait(timeout)

    def end_uploads(self) -> None:
        """End running uploads with what is stored; their clients resume."""
        self._uploads_end.set()

    def stop(self, grace: float) -> None:
        """As `drain`; return when all calls have ended or were cancelled."""
        self.end_uploads()
        self.drain(grace)
        self.wait_drained(2 * grace)
        self._send_pool.close()
        self._health.close()
        for pool in (self._pool, self._health_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    def _interceptors(
        self, calls: Calls, dispatch: Dispatch, short_calls: Admission
    ) -> list[grpc.ServerInterceptor]:
        """From the outermost to the innermost."""
        return [
            Responses(self._waits_of),
            Wrapping(calls.opened),
            Wrapping(errors(calls)),
            dispatch,
            Wrapping(authentication(calls)),
            Requests(self._waits_of),
            Subjects(calls),
            Wrapping(concurrency(short_calls, calls)),
        ]

    def _waits_of(self, method: str) -> ClientWaits:
        return self._health_waits if method_of(method).anonymous else self._waits

    def _add_uploads(self, parts: ServerParts, calls: Calls, limits: StreamLimits) -> None:
        """Register both services that take uploads; they share one admission control."""
        admission = parts.admissions.uploads
        streams = UploadStreams(calls=calls, admission=admission, limits=limits, waits=self._waits)
        services = (parts.upload_service, parts.task_service, parts.webhooks)
        uploads = UploadServicer(parts.upload_service, streams=streams)
        videos = VideoServicer(*services, streams=streams, creations=parts.admissions.creations)
        add_UploadServiceServicer_to_server(uploads, self.in_process.registry)
        add_VideoServiceServicer_to_server(videos, self.in_process.registry)

    def _add_tasks(self, parts: ServerParts, calls: Calls) -> TaskServicer:
        services = (parts.task_service, parts.previews, parts.webhooks)
        servicer = TaskServicer(
            *services, calls=calls, admissions=parts.admissions, send_pool=self._send_pool
        )
        add_TaskServiceServicer_to_server(servicer, self.in_process.registry)
        return servicer

    def _add_files(self, parts: ServerParts, calls: Calls, limits: StreamLimits) -> FileServicer:
        admission = parts.admissions.downloads
        servicer = FileServicer(
            parts.downloads, calls=calls, info=parts.info, admission=admission, limits=limits
        )
        add_FileServiceServicer_to_server(servicer, self.in_process.registry)
        return servicer


def _client_waits(limit: int, calls: Calls, limits: ServerLimits) -> ClientWaits:
    admission = Admission(
        limit, "calls without a message", share=WAIT_SHARE, evict_after=0, evict_heaviest=True
    )
    return ClientWaits(admission, calls=calls, idle=limits.idle, min_rate=limits.min_rate)
