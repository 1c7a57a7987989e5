"""The gRPC server: services, interceptors and limits; start and graceful stop."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from facecli.api.admission import Admission, Admissions
from facecli.api.authentication import Authenticator
from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.api.upload_pipeline import StreamLimits
from facecli.core.errors import InvalidInput
from facecli.core.events import EventBus
from facecli.core.tls import ServerTls
from facecli.rpc.calls import Calls
from facecli.rpc.files import FileServicer
from facecli.rpc.interceptors.authentication import authentication
from facecli.rpc.interceptors.concurrency import concurrency
from facecli.rpc.interceptors.errors import errors
from facecli.rpc.interceptors.raw_messages import RawMessages
from facecli.rpc.interceptors.subjects import Subjects
from facecli.rpc.interceptors.wrapping import Wrapping
from facecli.rpc.memory import keep_freed_memory
from facecli.rpc.send_pool import SendPool
from facecli.rpc.tasks import TaskServicer
from facecli.rpc.tls import server_credentials
from facecli.rpc.upload_streams import UploadStreams
from facecli.rpc.uploads import UploadServicer
from facecli.rpc.videos import VideoServicer
from facecli.tasks.service import TaskService
from facecli.uploads.service import UploadService
from facecli.wire.channel import server_options
from facecli.wire.generated.file_service_pb2_grpc import add_FileServiceServicer_to_server
from facecli.wire.generated.task_service_pb2_grpc import add_TaskServiceServicer_to_server
from facecli.wire.generated.upload_service_pb2_grpc import add_UploadServiceServicer_to_server
from facecli.wire.generated.video_service_pb2_grpc import add_VideoServiceServicer_to_server

REJECT_THREADS = 32  # threads for calls that get no slot
REJECT_BACKLOG = 512  # calls beyond all slots that are refused with a reason; gRPC itself refuses the others
SERVICES = ("", "video.VideoService", "video.UploadService", "video.TaskService", "video.FileService")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """Limits of this transport; the concurrent calls of each kind are limited by `ServerParts.admissions`."""

    streams: int  # concurrent calls of one connection, 0 for any; others wait in the client
    idle: float  # seconds
    min_rate: int  # bytes a second


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParts:
    """The services behind the server; `info` describes the server to a user."""

    upload_service: UploadService
    task_service: TaskService
    downloads: Downloads
    info: Callable[[str], ServerInfo]
    authenticator: Authenticator
    admissions: Admissions
    events: EventBus

    @property
    def threads(self) -> int:
        """Enough that uploads and downloads never take a thread that short calls need; a watcher has none."""
        calls = self.admissions
        return calls.uploads.limit + calls.downloads.limit + calls.calls.limit + REJECT_THREADS


class Server:
    """Serves from `start` to `stop`, at `address`."""

    def __init__(self, parts: ServerParts, *, bind: str, limits: ServerLimits, tls: ServerTls | None) -> None:
        keep_freed_memory()
        self._draining = threading.Event()
        self._health = health.HealthServicer()
        self._send_pool = SendPool()
        self._pool = ThreadPoolExecutor(max_workers=parts.threads, thread_name_prefix="call")
        calls = Calls(parts.authenticator, parts.events)
        self._server = grpc.server(
            self._pool,
            interceptors=_interceptors(calls, parts.admissions.calls),
            maximum_concurrent_rpcs=parts.threads + parts.admissions.watchers.limit + REJECT_BACKLOG,
            options=server_options(max_streams=limits.streams),
        )
        stream_limits = StreamLimits(idle=limits.idle, min_rate=limits.min_rate, draining=self._draining)
        self._add_uploads(parts, calls, stream_limits)
        self._tasks = self._add_tasks(parts, calls)
        self._files = self._add_files(parts, calls, stream_limits)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.address = self._listen(bind, tls)

    def start(self) -> None:
        self._server.start()
        for service in SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def recheck(self) -> None:
        """End calls that cannot do so themselves: watchers with a revoked token, which have no thread, and
        downloads whose client does not read, whose thread is blocked."""
        self._tasks.recheck()
        self._files.recheck()

    def stop(self, grace: float) -> None:
        """Refuse new calls, let the running ones end within `grace` seconds, then cancel them."""
        self._health.enter_graceful_shutdown()
        self._draining.set()
        self._tasks.drain()
        self._server.stop(grace).wait()
        self._send_pool.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _add_uploads(self, parts: ServerParts, calls: Calls, limits: StreamLimits) -> None:
        """Register both services that take uploads; they share one admission control."""
        streams = UploadStreams(calls=calls, admission=parts.admissions.uploads, limits=limits)
        uploads = UploadServicer(parts.upload_service, streams=streams)
        videos = VideoServicer(parts.upload_service, parts.task_service, streams=streams)
        add_UploadServiceServicer_to_server(uploads, self._server)
        add_VideoServiceServicer_to_server(videos, self._server)

    def _add_tasks(self, parts: ServerParts, calls: Calls) -> TaskServicer:
        admission = parts.admissions.watchers
        servicer = TaskServicer(
            parts.task_service, calls=calls, admission=admission, send_pool=self._send_pool
        )
        add_TaskServiceServicer_to_server(servicer, self._server)
        return servicer

    def _add_files(self, parts: ServerParts, calls: Calls, limits: StreamLimits) -> FileServicer:
        admission = parts.admissions.downloads
        servicer = FileServicer(
            parts.downloads, calls=calls, info=parts.info, admission=admission, limits=limits
        )
        add_FileServiceServicer_to_server(servicer, self._server)
        return servicer

    def _listen(self, bind: str, tls: ServerTls | None) -> str:
        host = bind.rpartition(":")[0]
        try:
            if tls:
                port = self._server.add_secure_port(bind, server_credentials(tls))
            else:
                port = self._server.add_insecure_port(bind)
        except RuntimeError as error:
            raise InvalidInput(
                f"cannot listen on {bind}: the port is taken, or the address is not one of this machine"
            ) from error
        return f"{host}:{port}"


def _interceptors(calls: Calls, short_calls: Admission) -> list[grpc.ServerInterceptor]:
    """From the outermost to the innermost."""
    return [
        Wrapping(calls.opened),
        Wrapping(errors(calls)),
        Subjects(calls),
        Wrapping(authentication(calls)),
        Wrapping(concurrency(short_calls, calls)),
        RawMessages(),
    ]
