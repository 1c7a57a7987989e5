"""Uploads, watches, downloads and refusals through real proxies, and the client's address behind them."""

import json
import logging
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.certificates import make_dev_certificates
from facecli.config.settings import Settings
from facecli.core.errors import TaskNotFound
from facecli.wire.errors import from_rpc
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.e2e.proxies import ENDED, PASSED_THROUGH, SOURCE, front_of, proxy_command, running
from tests.support.e2e.requirements import needs
from tests.support.eventually import eventually
from tests.support.sockets import free_port
from tests.support.web.http_client import Answer, ask
from tests.unit.rpc.conftest import Stubs, frame

pytestmark = [needs("haproxy"), needs("nginx")]

DATA = os.urandom(3_000_000)
CHUNK = 1_000_000
FORGED = "198.51.100.1"


@dataclass(frozen=True)
class Proxy:
    """A proxy at a public URL, and a channel through it that shows a token."""

    kind: str
    url: str
    channel: grpc.Channel
    secret: str
    tls: ssl.SSLContext

    @property
    def stubs(self) -> Stubs:
        return Stubs(self.channel)

    def ask(self, path: str, **options: Any) -> Answer:
        own = {"authorization": f"Bearer {self.secret}", "x-forwarded-for": FORGED}
        return ask(
            self.url, path, **{**options, "headers": {**own, **options.get("headers", {})}}, tls=self.tls
        )


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Proxy]]:
    """Four proxies, two in front of a server without TLS and two in front of one that ends it."""
    folder = tmp_path_factory.mktemp("proxies")
    certs = make_dev_certificates(folder / "certs", hosts=["localhost"], user="ann")
    plain = Settings(engine="mock", workers=0, auth="token", trusted_proxies=SOURCE)
    secured = replace(
        plain, tls_cert=str(certs.server), tls_key=str(certs.server_key), proxy_header="proxy-protocol"
    )
    opened = dict[str, Proxy]()
    with ExitStack() as stack:
        for kinds, settings in ((ENDED, plain), (PASSED_THROUGH, secured)):
            settings = replace(
                settings,
                bind="127.0.0.1:0",
                http=f"127.0.0.1:{free_port()}",
                data_dir=str(folder / kinds[0].replace(" ", "-")),
            )
            made = stack.enter_context(tokens(settings))
            server = stack.enter_context(run_server(settings))
            secret = made.create("ann")[1]
            credentials = grpc.composite_channel_credentials(
                grpc.ssl_channel_credentials(certs.ca.read_bytes()),
                grpc.access_token_call_credentials(secret),
            )
            for kind in kinds:
                http_port = int(settings.http.rpartition(":")[2])
                front = front_of(certs, folder, servers=[server.address], http_port=http_port)
                stack.enter_context(running(proxy_command(kind, front, folder)))
                address = f"localhost:{front.port}"
                channel = stack.enter_context(grpc.secure_channel(address, credentials))
                tls = ssl.create_default_context(cafile=str(certs.ca))
                opened[kind] = Proxy(kind, f"https://{address}", channel, secret, tls)
        for proxy in opened.values():
            eventually(lambda: is_ready(proxy))  # noqa: B023  (called at once)
        yield opened


@pytest.fixture(params=[*ENDED, *PASSED_THROUGH])
def proxy(proxies: dict[str, Proxy], request: pytest.FixtureRequest) -> Proxy:
    return proxies[request.param]


def is_ready(proxy: Proxy) -> bool:
    try:
        return proxy.ask("/readyz").status == 200
    except OSError:
        return False


def test_an_upload_is_cut_and_resumed_and_comes_back_whole(proxy: Proxy) -> None:
    stubs, cut = proxy.stubs, threading.Event()
    upload_id = stubs.begin(size=len(DATA), chunk_size=CHUNK, user="")
    call = stubs.uploads.StreamUpload(frames(upload_id, 0, 2, cut))
    stored = [next(call).stored_bytes, next(call).stored_bytes]
    assert stored == [CHUNK, 2 * CHUNK]  # acknowledged while the stream goes on: nothing is buffered
    call.cancel()
    cut.set()
    request = upload_pb.GetUploadRequest(upload_id=upload_id)
    assert stubs.uploads.GetUpload(request).upload.stored_bytes == 2 * CHUNK
    (last,) = stubs.uploads.StreamUpload(frames(upload_id, 2, 3))
    assert last.stored_bytes == len(DATA)
    parts = list(stubs.files.Download(file_pb.DownloadRequest(url=last.file_url)))
    assert b"".join(part.data for part in parts) == DATA
    assert proxy.ask(last.file_url).body == DATA
    middle = proxy.ask(last.file_url, headers={"range": "bytes=10-19"})
    assert (middle.status, middle.body) == (206, DATA[10:20])


def frames(
    upload_id: str, first: int, end: int, cut: threading.Event | None = None
) -> Iterator[pb.UploadRequest]:
    """Whole chunks, and a part of the next one until the stream is cut."""
    for at in range(first * CHUNK, end * CHUNK, CHUNK):
        message = frame(upload_id, at, DATA[at : at + CHUNK])
        message.user_id = ""
        yield message
    if cut:
        yield pb.UploadRequest(upload_id=upload_id, offset=end * CHUNK, chunk=DATA[:1000])
        cut.wait(60)


def test_tus_uploads_in_parts(proxy: Proxy) -> None:
    tus = {"tus-resumable": "1.0.0"}
    meta = {"upload-metadata": "filename Y2xpcC5tcDQ=", "upload-length": str(len(DATA))}
    created = proxy.ask("/files/", method="POST", headers={**tus, **meta})
    path = "/files/" + created.headers["location"].rpartition("/")[2]
    for offset in (0, CHUNK):
        end = CHUNK if offset == 0 else len(DATA)
        patch = {**tus, "upload-offset": str(offset), "content-type": "application/offset+octet-stream"}
        sent = proxy.ask(path, method="PATCH", headers=patch, body=DATA[offset:end])
        assert (sent.status, sent.headers["upload-offset"]) == (204, str(end))
    assert proxy.ask(sent.headers["upload-file-url"]).body == DATA


def test_refusals_arrive_with_their_details_and_metrics_do_not(proxy: Proxy) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        proxy.stubs.videos.GetTaskStatus(pb.TaskStatusRequest(task_id="none"))
    error = from_rpc(refused.value, server="x")
    assert isinstance(error, TaskNotFound) and error.request_id
    asked = pb.TaskStatusRequest(task_id="none").SerializeToString()
    body = b"\0" + len(asked).to_bytes(4, "big") + asked
    web = {"content-type": "application/grpc-web+proto"}
    answer = proxy.ask("/video.VideoService/GetTaskStatus", method="POST", headers=web, body=body)
    assert answer.status == 200
    assert b"grpc-status: 5" in answer.body + str(answer.headers).encode()
    if proxy.kind in ENDED:
        for path in ("/metrics", "/%6detrics", "/metrics?a=b"):
            assert proxy.ask(path).status == 404
        assert proxy.ask("/metrics").headers["content-type"] != "application/json"  # the proxy's own answer
    assert proxy.ask("/").status == 200


def test_a_watch_follows_a_task(proxy: Proxy, face: Path, clip: Path) -> None:
    stubs = proxy.stubs
    image = stubs.stored(face.read_bytes(), file_type="image", user="", name="face.png")
    video = stubs.stored(clip.read_bytes(), user="")
    task = stubs.videos.CreateTask(pb.CreateTaskRequest(image_url=image, video_url=video))
    watch = stubs.tasks.WatchTask(task_pb.WatchTaskRequest(task_id=task.task_id))
    assert next(watch).task.status == "pending"
    stubs.tasks.CancelTask(task_pb.CancelTaskRequest(task_id=task.task_id))
    assert [update.task.status for update in watch][-1] == "cancelled"


def test_audit_records_have_the_address_of_the_client(proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "facecli.audit")
    metadata = (("x-forwarded-for", FORGED), ("forwarded", f"for={FORGED}"))
    with pytest.raises(grpc.RpcError):
        proxy.stubs.videos.CreateTask(pb.CreateTaskRequest(), metadata=metadata)
    json_body = {"content-type": "application/json"}
    path = "/video.VideoService/CreateTask"
    assert proxy.ask(path, method="POST", headers=json_body, body=json.dumps({}).encode()).status == 400
    eventually(lambda: len(addresses(caplog)) == 2)
    ended = proxy.kind in ENDED
    assert addresses(caplog) == ["127.0.0.1" if ended else SOURCE, "127.0.0.1"]


def addresses(caplog: pytest.LogCaptureFixture) -> list[str]:
    peers = [record.peer for record in caplog.records if record.name == "facecli.audit"]  # type: ignore[attr-defined]
    return [peer.split(":")[1] for peer in peers]
