"""Time stamps of C2PA signatures, by an authority (RFC 3161) that openssl is."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from facecli.core.errors import FacecliError
from tests.support.e2e.requirements import needs
from tests.support.media.manifests import found, sign
from tests.support.sockets import free_port

pytestmark = [pytest.mark.media, pytest.mark.slow, needs("openssl")]

CONFIG = """
[tsa]
default_tsa = test
[test]
serial = serial
certs = ca.pem
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""
PURPOSE = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(slots=True)
class Authority:
    """Answers with time stamps, or with this status and nothing."""

    url: str = ""
    status: int = 200
    replies: list[bytes] = field(default_factory=list)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    authority = Authority()
    (tmp_path / "tsa.cnf").write_text(CONFIG)
    (tmp_path / "purpose").write_text(PURPOSE)
    (tmp_path / "serial").write_text("01\n")
    openssl(tmp_path, "req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/O=Test/CN=ca")
    openssl(tmp_path, "req", *KEY, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/O=Test/CN=tsa")
    issue = ("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "purpose")
    openssl(tmp_path, *issue, "-set_serial", "7", "-out", "tsa.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            (tmp_path / "query").write_bytes(query)
            options = ("-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
            openssl(tmp_path, "ts", "-reply", *options)
            reply = (tmp_path / "reply").read_bytes() if authority.status == 200 else b""
            authority.replies.append(reply)
            self.send_response(authority.status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield authority
        server.shutdown()
        thread.join()


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)


def test_a_signature_has_the_time_of_the_authority(
    folder: Path, authority: Authority, tmp_path: Path
) -> None:
    sign(folder, "clip.mp4", "stamped.mp4", time_stamp=authority.url)
    finding = found(folder / "stamped.mp4", folder / "ca.pem")
    assert finding.details["state"] == "Trusted"
    (reply,) = authority.replies
    (tmp_path / "reply").write_bytes(reply)
    shown = subprocess.run(
        ["openssl", "ts", "-reply", "-in", "reply", "-text"], cwd=tmp_path, capture_output=True, check=True
    )
    time = str(finding.details["time"])  # 2026-11-29T17:26:55+00:00
    assert f"{time[11:19]} {time[:4]} GMT" in shown.stdout.decode()
    assert found(folder / "signed.mp4").details["time"] == ""


def test_an_authority_that_gives_no_time_is_named(folder: Path, authority: Authority) -> None:
    away = f"http://127.0.0.1:{free_port()}/"
    authority.status = 503
    for url in (authority.url, away):
        with pytest.raises(FacecliError, match=f"no time stamp from {url}"):
            sign(folder, "clip.mp4", "unstamped.mp4", time_stamp=url)


def test_a_silent_authority_ends_the_signing_with_its_name(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its queue for ever
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(FacecliError, match=f"no time stamp from {url}; .* within 2 s"):
            sign(folder, "clip.mp4", "unstamped.mp4", time_stamp=url, seconds=2)
