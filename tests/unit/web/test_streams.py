"""Server streams over HTTP: they end with their client, with their server, and within their limits."""

import struct
from pathlib import Path
from typing import Any

import pytest

from facecli.bootstrap.server import Running
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.eventually import eventually
from tests.support.rpc.refusals import refused
from tests.support.web.grpc_web import BINARY, WebChannel
from tests.support.web.http_client import ask, connected
from tests.support.web.requests import WATCH, framed
from tests.support.web.tus import BODY_TYPE, encoded
from tests.unit.rpc.conftest import Stubs
from tests.unit.web.conftest import ServeHttp

pytestmark = pytest.mark.media


USER = "local"  # of tus on a server that requires no tokens


def waiting_task(server: Running, stubs: Stubs, folder: Path) -> str:
    """A task that no worker takes; its video was uploaded by tus."""
    media = FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=160, height=120)
    image = stubs.stored((folder / "face.png").read_bytes(), user=USER, file_type="image", name="face.png")
    clip = (folder / "clip.mp4").read_bytes()
    new = {"upload-length": str(len(clip)), "upload-metadata": f"filename {encoded('clip.mp4')}"}
    headers = {"tus-resumable": "1.0.0", "content-type": BODY_TYPE, **new}
    created = ask(server.http, "/files", method="POST", headers=headers, body=clip)
    video = str(created.headers["upload-file-url"])
    request = video_pb.CreateTaskRequest(user_id=USER, image_url=image, video_url=video)
    return stubs.videos.CreateTask(request).task_id


def watching(server: Running, task_id: str) -> Any:
    """A watch by gRPC-Web: the connection and its response."""
    connection = connected(server.http)
    request = task_pb.WatchTaskRequest(user_id=USER, task_id=task_id)
    connection.request("POST", WATCH, framed(request.SerializeToString()), {"content-type": BINARY})
    response = connection.getresponse()
    assert response.status == 200
    return connection, response


def test_a_watch_ends_when_its_client_goes_away_or_the_server_stops(
    serve_http: ServeHttp, tmp_path: Path
) -> None:
    with serve_http(max_watchers=1) as server, WebChannel(server.http) as channel:
        stubs = Stubs(channel)
        task_id = waiting_task(server, stubs, tmp_path)
        first, response = watching(server, task_id)
        flags, size = struct.unpack(">BI", response.read(5))
        assert flags == 0
        assert task_pb.WatchTaskResponse.FromString(response.read(size)).task.status == "pending"
        another = task_pb.WatchTaskRequest(user_id=USER, task_id=task_id)
        assert refused(lambda: list(stubs.tasks.WatchTask(another)))[1] == "TOO_MANY_CALLS"
        response.close()
        first.close()
        second: list[Any] = []

        def is_watched() -> bool:
            """Whether the next watch is accepted; a refused one begins with its status."""
            second[:] = watching(server, task_id)
            accepted = bool(second[1].read(1) == b"\0")
            if not accepted:
                second[0].close()
            return accepted

        eventually(is_watched)
    assert b"grpc-status: 14" in second[1].read()
    second[0].close()
