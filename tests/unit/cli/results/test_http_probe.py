"""The probe of a server's HTTP: what `facecli doctor` says about an odd answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from facecli.client.calls import http_probe
from facecli.client.calls.http_probe import HttpProbe
from facecli.core.errors import FacecliError
from tests.support.sockets import free_port


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """The URL of a server that answers each connection so and closes it; never if it is None."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        open_ones = list[socket.socket]()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    open_ones.append(accepted)
                    accepted.recv(1 << 16)
                    if answer is not None:
                        accepted.sendall(answer)
                        accepted.close()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()
            for each in open_ones:
                each.close()


def head(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (head("404 Not Found"), "passes no HTTP on", "facecli generate nginx"),
        (head("502 Bad Gateway"), "does not reach the server's HTTP port", "--http-port"),
        (head("302 Found"), "status 302: it is not facecli's answer", "facecli generate"),
        (head("200 OK", b"\xff<html>"), "does not answer as facecli does", "facecli generate"),
        (b"", "closes its connections without an answer", "--proxy-header proxy-protocol"),
        (b"SSH-2.0-OpenSSH\r\n", "closes its connections without an answer", "--trusted-proxies"),
    ],
    ids=["404", "502", "302", "html", "closed", "ssh"],
)
def test_an_odd_answer_has_a_meaning_and_a_next_step(answer: bytes, message: str, hint: str) -> None:
    with answering(answer) as url, pytest.raises(FacecliError) as raised:
        HttpProbe(url, tls=None, token="", user="ann").info()
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_a_port_without_a_server_is_named() -> None:
    with pytest.raises(FacecliError, match="cannot be reached: nothing listens there"):
        HttpProbe(f"http://127.0.0.1:{free_port()}", tls=None, token="", user="ann").info()


def test_a_body_that_is_waited_for_is_buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_probe, "REFUSAL_TIMEOUT", 0.2)
    for answer, buffered in ((None, True), (head("412 Precondition Failed"), False)):
        with answering(answer) as url:
            assert HttpProbe(url, tls=None, token="", user="ann").is_buffered() is buffered


def test_a_token_that_was_not_sent_is_no_failure() -> None:
    with answering(head("401 Unauthorized")) as url:
        assert HttpProbe(url, tls=None, token="", user="ann").info() is None
        with pytest.raises(FacecliError, match="status 401"):
            HttpProbe(url, tls=None, token="secret", user="ann").info()
