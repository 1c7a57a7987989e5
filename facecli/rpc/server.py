"""The gRPC server: services, interceptors, limits; start and graceful stop."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from facecli.api.admission import Admission
from facecli.api.audit import audit
from facecli.api.authentication import Callers
from facecli.api.call_context import Requests
from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.api.upload_pipeline import StreamLimits
from facecli.core.errors import InvalidInput
from facecli.core.tls import ServerTls
from facecli.rpc.files import FileServicer
from facecli.api.access_log import access_log
from facecli.rpc.interceptors.authentication import auth
from facecli.rpc.interceptors.concurrency import concurrency
from facecli.rpc.interceptors.errors import errors
from facecli.rpc.interceptors.raw_messages import Raw
from facecli.rpc.interceptors.wrapping import Wrapping
from facecli.rpc.memory import keep_freed_memory
from facecli.rpc.send_pool import SendPool
from facecli.rpc.tasks import TaskServicer
from facecli.rpc.tls import server_credentials
from facecli.rpc.uploads import UploadServicer
from facecli.rpc.videos import VideoServicer
from facecli.tasks.service import TaskService
from facecli.uploads.service import UploadService
from facecli.uploads.upload import MAX_CHUNK_SIZE
from facecli.wire.generated import (
    file_service_pb2_grpc,
    task_service_pb2_grpc,
    upload_service_pb2_grpc,
    video_service_pb2_grpc,
)

EVICT_IDLE_AFTER = 3.0  # seconds that an upload may say nothing when another one needs its place
REJECT_THREADS = 32  # threads for calls that get no place
REJECT_BACKLOG = 512  # calls beyond all slots that are refused with words; gRPC itself refuses the others
MESSAGE_OVERHEAD = 64 * 1024  # bytes of a message beside its chunk
UNLIMITED = 2**31 - 1  # the most that gRPC knows
WINDOW = 4 * 1024 * 1024  # bytes of a stream that are received ahead; 80 MB/s at 50 ms to and fro
KEEPALIVE_TIMEOUT_MS = 130_000  # milliseconds; 4 MiB at 32 KiB/s take 128 s
SERVICES = ("", "video.VideoService", "video.UploadService", "video.TaskService", "video.FileService")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """Calls of each kind held at once; how many seconds an upload may say nothing, and how slow it may be."""

    uploads: int
    watchers: int
    downloads: int
    calls: int  # short ones
    share: int  # percent of each of these that one user may hold
    streams: int  # calls of one connection under way, 0 for any; others wait in the client
    idle: float
    min_rate: int  # bytes a second, in time


class Server:
    """Serves from `start` to `stop`; `address` is then where."""

    def __init__(
        self,
        *,
        bind: str,
        upload_service: UploadService,
        task_service: TaskService,
        downloads: Downloads,
        info: Callable[[str], ServerInfo],
        limits: ServerLimits,
        callers: Callers,
        tls: ServerTls | None,
    ) -> None:
        keep_freed_memory()
        self._draining = threading.Event()
        self._health = health.HealthServicer()
        self._send_pool = SendPool()
        # Uploads and downloads can take no thread that short calls need; a watcher has none.
        threads = limits.uploads + limits.downloads + limits.calls + REJECT_THREADS
        requests = Requests()
        told = [requests.numbered, access_log(requests), audit(requests), errors(requests)]

        def admission(limit: int, what: str, patience: float = math.inf) -> Admission:
            return Admission(limit, what, share=limits.share, patience=patience)

        short_calls = concurrency(admission(limits.calls, "short calls"), requests)
        guards = [*told, auth(callers, requests), short_calls]
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="call")
        self._server = grpc.server(
            self._pool,
            interceptors=[*(Wrapping(guard) for guard in guards), Raw()],
            maximum_concurrent_rpcs=threads + limits.watchers + REJECT_BACKLOG,
            options=_options(limits),
        )
        patience = min(EVICT_IDLE_AFTER, limits.idle)
        uploads = admission(limits.uploads, "uploads", patience)
        stream_limits = StreamLimits(idle=limits.idle, min_rate=limits.min_rate, draining=self._draining)
        video_service_pb2_grpc.add_VideoServiceServicer_to_server(
            VideoServicer(
                upload_service, task_service, callers=callers, admission=uploads, limits=stream_limits
            ),
            self._server,
        )
        upload_service_pb2_grpc.add_UploadServiceServicer_to_server(
            UploadServicer(upload_service, callers=callers, admission=uploads, limits=stream_limits),
            self._server,
        )
        self._tasks = TaskServicer(
            task_service,
            callers=callers,
            requests=requests,
            admission=admission(limits.watchers, "watchers"),
            send_pool=self._send_pool,
        )
        task_service_pb2_grpc.add_TaskServiceServicer_to_server(self._tasks, self._server)
        self._files = FileServicer(
            downloads,
            callers=callers,
            info=info,
            admission=admission(limits.downloads, "downloads", patience),
            limits=stream_limits,
        )
        file_service_pb2_grpc.add_FileServiceServicer_to_server(self._files, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.address = self._listen(bind, tls)

    def start(self) -> None:
        self._server.start()
        for service in SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def recheck(self) -> None:
        """End the calls whose own thread cannot: watchers whose token does not hold any more have none, and
        that of a download waits until its client takes something."""
        self._tasks.recheck()
        self._files.recheck()

    def stop(self, grace: float) -> None:
        """Take no new call, let the running ones end for `grace` seconds, then cut them off."""
        self._health.enter_graceful_shutdown()
        self._draining.set()
        self._tasks.drain()
        self._server.stop(grace).wait()
        self._send_pool.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _listen(self, bind: str, tls: ServerTls | None) -> str:
        host = bind.rpartition(":")[0]
        try:
            if tls:
                port = self._server.add_secure_port(bind, server_credentials(tls))
            else:
                port = self._server.add_insecure_port(bind)
        except RuntimeError as error:
            raise InvalidInput(
                f"cannot listen on {bind}: is the port taken, or not an address of this machine?"
            ) from error
        return f"{host}:{port}"


def _options(limits: ServerLimits) -> list[tuple[str, int]]:
    """What gRPC does by itself with messages, windows, and lines that are silent."""
    return [
        ("grpc.max_receive_message_length", MAX_CHUNK_SIZE + MESSAGE_OVERHEAD),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", limits.streams or UNLIMITED),
        # A window that grows with the line held 150 MB of one upload when the disk was slower.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", WINDOW),
        # Our clients ask every 10 s whether we live, also while nothing happens to a task they watch.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 30),  # a stalled line delivers several at once
        # And we ask them: a half-open connection holds its place for minutes at most. An answer waits
        # behind all that a slow line has taken from the client: its window at the lowest rate.
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ]
