"""The HTTP server: health, refusals, slow and broken connections, TLS, and its stop."""

import shutil
import socket
import ssl
from pathlib import Path

import pytest

from facecli.bootstrap.server import Running
from facecli.certificates import DevCertificates, make_dev_certificates
from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.web import connection
from facecli.web import server as web_server
from tests.support.eventually import eventually
from tests.support.web.http_client import answer_of, ask, connected, raw, received, until
from tests.unit.web.conftest import ServeHttp

HALF_HELLO = bytes.fromhex("16030100c8010000c40303")  # the beginning of a TLS handshake


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_health_is_answered_without_credentials(server: Running, path: str, status: str) -> None:
    answer = ask(server.http, path)
    assert (answer.status, answer.json) == (200, {"status": status})
    head = ask(server.http, path, method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_an_unknown_path_and_a_wrong_method_are_refused_with_a_reason(server: Running) -> None:
    missing = ask(server.http, "/nowhere")
    assert (missing.status, missing.reason) == (404, "NOT_FOUND")
    wrong = ask(server.http, "/healthz", method="POST", body=b"x")
    assert (wrong.status, wrong.reason) == (405, "INVALID_INPUT")
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_headers_that_are_too_large_or_no_http_are_refused_and_nothing_else_suffers(server: Running) -> None:
    flood = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000
    tls = b"\x16\x03\x01\x00\xc8\x01\x00\x00"
    for sent, status in ((flood, 431), (b"GET\r\n\r\n", 400), (tls, 400)):
        with raw(server.http, sent[:40_000]) as broken:
            response = received(broken)
        assert response.startswith(b"HTTP/1.1 %d " % status) and b"INVALID_INPUT" in response
    assert ask(server.http, "/healthz").status == 200


def test_a_connection_that_sends_no_request_is_closed(
    serve_http: ServeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    with serve_http() as server:
        for sent in (b"", b"GET /healthz HTTP/1.1\r\n"):
            with raw(server.http, sent) as silent:
                assert received(silent) == b""


def test_the_rest_of_a_refused_body_is_read_so_that_the_answer_arrives(server: Running) -> None:
    answer = ask(server.http, "/nowhere", method="POST", body=bytes(5_000_000))
    assert answer.status == 404


def test_a_refused_body_that_drips_without_end_is_cut(
    serve_http: ServeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.2)
    with serve_http() as server:
        head = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
        with raw(server.http, head) as dripping:
            assert until(dripping, b"at this path").startswith(b"HTTP/1.1 404 ")
            eventually(lambda: is_closed_after(dripping, b"x"))


def is_closed_after(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except ConnectionError:
        return True
    return False


def test_more_connections_than_the_limit_are_closed(
    serve_http: ServeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facecli.bootstrap.server.max_connections", lambda: 4)
    with serve_http() as server:
        held = connected(server.http), connected(server.http)
        for each in held:
            each.request("GET", "/healthz")
            assert answer_of(each).status == 200
        with pytest.raises(ConnectionError):
            ask(server.http, "/healthz")
        held[0].close()
        held[1].request("GET", "/healthz")
        assert answer_of(held[1]).status == 200
        held[1].close()


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    return make_dev_certificates(tmp_path_factory.mktemp("certs"), hosts=["localhost"], user="ann")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    return make_dev_certificates(tmp_path_factory.mktemp("others"), hosts=["localhost"], user="ann")


def trusting(certs: DevCertificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certs.ca))


def test_the_certificate_of_the_grpc_server_is_used_and_renewed_without_a_restart(
    serve_http: ServeHttp, certs: DevCertificates, others: DevCertificates, tmp_path: Path
) -> None:
    cert, key = tmp_path / "server.pem", tmp_path / "server.key"
    shutil.copy(certs.server, cert)
    shutil.copy(certs.server_key, key)
    with serve_http(http="localhost:0", tls_cert=str(cert), tls_key=str(key)) as server:
        assert server.http.startswith("https://localhost:")
        assert ask(server.http, "/readyz", tls=trusting(certs)).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(server.http, "/readyz", tls=trusting(others))
        shutil.copy(others.server, cert)
        assert ask(server.http, "/readyz", tls=trusting(certs)).status == 200, "the key is still missing"
        shutil.copy(others.server_key, key)
        assert ask(server.http, "/readyz", tls=trusting(others)).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(server.http, "/readyz", tls=trusting(certs))


def test_a_handshake_that_never_ends_counts_as_a_connection_and_is_cut(
    serve_http: ServeHttp, certs: DevCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert web_server.HANDSHAKE_SECONDS == 20
    monkeypatch.setattr("facecli.bootstrap.server.max_connections", lambda: 4)
    tls = {"http": "localhost:0", "tls_cert": str(certs.server), "tls_key": str(certs.server_key)}
    with serve_http(**tls) as server, raw(server.http, HALF_HELLO), raw(server.http) as silent:
        assert not is_answered(server, certs)
        silent.close()
        eventually(lambda: is_answered(server, certs))
        for _ in range(4):
            with raw(server.http, b"no TLS") as broken:
                broken.shutdown(socket.SHUT_WR)
                received(broken)
        eventually(lambda: is_answered(server, certs))
    monkeypatch.setattr(web_server, "HANDSHAKE_SECONDS", 0.2)
    with serve_http(**tls) as server:
        for sent in (b"", HALF_HELLO):
            with raw(server.http, sent) as half_open:
                assert received(half_open) == b""


def is_answered(server: Running, certs: DevCertificates) -> bool:
    try:
        return ask(server.http, "/healthz", tls=trusting(certs)).status == 200
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_client_without_a_certificate_gets_no_connection_when_one_is_required(
    serve_http: ServeHttp, certs: DevCertificates
) -> None:
    settings = {
        "tls_cert": str(certs.server),
        "tls_key": str(certs.server_key),
        "tls_client_ca": str(certs.ca),
    }
    with serve_http(http="localhost:0", **settings) as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(server.http, "/readyz", tls=trusting(certs))
        shown = trusting(certs)
        shown.load_cert_chain(certs.client, certs.client_key)
        assert ask(server.http, "/readyz", tls=shown).status == 200


def test_an_address_that_others_reach_requires_tls_and_authentication(serve_http: ServeHttp) -> None:
    with pytest.raises(PolicyRefused, match=r"0\.0\.0\.0:0 can be reached"), serve_http(http="0.0.0.0:0"):
        pass


def test_a_port_that_is_taken_is_named(serve_http: ServeHttp, server: Running) -> None:
    taken = server.http.removeprefix("http://")
    with pytest.raises(InvalidInput, match=f"cannot listen on {taken}"), serve_http(http=taken):
        pass


def test_a_server_that_stops_is_not_ready_and_lets_idle_connections_go(serve_http: ServeHttp) -> None:
    with serve_http() as server:
        idle = connected(server.http)
        idle.request("GET", "/readyz")
        assert answer_of(idle).status == 200
    assert idle.sock.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        ask(server.http, "/healthz")
