"""A real nginx with the generated site, in front of a server that requires tokens."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.certificates import make_dev_certificates
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.operations.nginx import Site, nginx_site
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.e2e.requirements import needs
from tests.support.eventually import eventually
from tests.support.sockets import free_port
from tests.support.web.http_client import ask
from tests.unit.rpc.conftest import Stubs

DATA = os.urandom(3_000_000)
PARTS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass
class Front:
    """The public address, a channel to it with a token, and what the certificate is checked with."""

    url: str
    stubs: Stubs
    secret: str
    tls: ssl.SSLContext


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    certs = make_dev_certificates(folder / "certs", hosts=["localhost"], user="ann")
    port = free_port()
    settings = Settings(
        bind="127.0.0.1:0", http="127.0.0.1:0", data_dir=str(folder / "data"), workers=0, auth="token"
    )
    with tokens(settings) as made, run_server(settings) as server:
        site = nginx_site(
            Site(
                name="localhost",
                port=port,
                cert=str(certs.server),
                key=str(certs.server_key),
                grpc=server.address,
                http=server.http.removeprefix("http://"),
            )
        )
        temporary = "".join(f"{part}_temp_path {folder}/{part};\n" for part in PARTS)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; events {{}}\nhttp {{ access_log off;\n{temporary}{site}}}\n"
        )
        secret = made.create("ann")[1]
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(certs.ca.read_bytes()), grpc.access_token_call_credentials(secret)
        )
        command = ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        with (
            subprocess.Popen(command, env=environment) as nginx,
            grpc.secure_channel(f"localhost:{port}", credentials) as channel,
        ):
            try:
                tls = ssl.create_default_context(cafile=str(certs.ca))
                opened = Front(f"https://localhost:{port}", Stubs(channel), secret, tls)
                eventually(lambda: nginx.poll() is None and is_ready(opened))
                yield opened
            finally:
                nginx.terminate()


def is_ready(front: Front) -> bool:
    try:
        return ask(front.url, "/readyz", tls=front.tls).status == 200
    except OSError:
        return False


@needs("nginx")
def test_grpc_and_http_share_the_port_of_nginx(front: Front) -> None:
    url = front.stubs.stored(DATA, user="")
    parts = list(front.stubs.files.Download(file_pb.DownloadRequest(url=url)))
    assert b"".join(part.data for part in parts) == DATA
    bearer = {"authorization": f"Bearer {front.secret}", "origin": front.url}
    assert ask(front.url, url, headers=bearer, tls=front.tls).body == DATA
    status = {**bearer, "content-type": "application/json"}
    answer = ask(
        front.url,
        "/video.VideoService/GetTaskStatus",
        method="POST",
        headers=status,
        body=b'{"taskId": "none"}',
        tls=front.tls,
    )
    assert answer.status == 404
    assert answer.json["code"] == "not_found"


@needs("nginx")
def test_refusals_pass_and_metrics_do_not(front: Front) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        front.stubs.videos.GetTaskStatus(pb.TaskStatusRequest(task_id="none"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert ask(front.url, "/metrics", tls=front.tls).status == 404
    assert ask(front.url, "/", tls=front.tls).status == 200


def test_a_path_that_nginx_would_read_differently_is_refused() -> None:
    site = Site(name="a.example", port=443, cert='/x"; y', key="/k", grpc="a:1", http="a:2")
    with pytest.raises(InvalidInput, match="is not a path for nginx"):
        nginx_site(site)
