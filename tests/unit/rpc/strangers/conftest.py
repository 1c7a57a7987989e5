"""Servers with and without authentication, callers with every kind of credentials, and a regular user."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.rpc.http2 import Headers, RawConnection
from tests.unit.rpc.conftest import Stubs, bearing

TIMEOUT = 20.0  # seconds that the calls of a regular user may take on a busy machine
CALLERS = ("no token", "wrong token", "malformed token", "another user's token", "auth none")
REFUSED = {"no token", "wrong token", "malformed token"}
METHODS = {
    "unary": "/video.VideoService/GetTaskStatus",
    "unary with a large message": "/video.UploadService/UploadChunk",
    "client stream": "/video.VideoService/UploadVideo",
    "server stream": "/video.FileService/Download",
    "watch": "/video.TaskService/WatchTask",
    "bidi": "/video.UploadService/StreamUpload",
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server with a regular user, and the headers of a caller to attack it with."""

    address: str
    user: Stubs
    headers: Headers

    def connections(self, count: int, *, window: int | None = None) -> list[RawConnection]:
        return [RawConnection(self.address, window=window) for _ in range(count)]


def check_serving(user: Stubs) -> None:
    """Assert that a health check, a status and an upload succeed, which may have to be retried.

    A busy server has to end the calls that it has evicted before it takes more.
    """
    health: Any = health_pb2_grpc.HealthStub(user.channel)
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    message = pb.UploadRequest(file_name="a.mp4", file_type="video", total_chunks=1, chunk=b"0123")

    def served() -> bool:
        try:
            uploaded = user.videos.UploadVideo(iter([message]), timeout=TIMEOUT)
            user.videos.GetTaskStatus(pb.TaskStatusRequest(task_id="0" * 32), timeout=TIMEOUT)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return False
            assert error.code() is grpc.StatusCode.NOT_FOUND, error
        return uploaded.status == "completed"

    eventually(served, every=0.2)


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("strangers")
        base = Settings(engine="mock", bind="127.0.0.1:0", workers=0)
        closed = replace(base, data_dir=str(folder / "token"), auth="token")
        secrets = _secrets(closed)
        address = stack.enter_context(run_server(closed)).address
        user = stack.enter_context(bearing(address, secrets["bob"]))
        shown = {
            "no token": (),
            "wrong token": (("authorization", f"Bearer {secrets['bob'][:-64]}{'0' * 64}"),),
            "malformed token": (("authorization", "Bearer nonsense"),),
            "another user's token": (("authorization", f"Bearer {secrets['eve']}"),),
        }
        found = {
            caller: Target(address=address, user=user, headers=headers) for caller, headers in shown.items()
        }
        address = stack.enter_context(run_server(replace(base, data_dir=str(folder / "none")))).address
        own = [("grpc.use_local_subchannel_pool", 1)]
        user = Stubs(stack.enter_context(grpc.insecure_channel(address, options=own)))
        found["auth none"] = Target(address=address, user=user, headers=())
        yield found


def _secrets(settings: Settings) -> dict[str, str]:
    with tokens(settings) as made:
        return {user: made.create(user)[1] for user in ("bob", "eve")}
