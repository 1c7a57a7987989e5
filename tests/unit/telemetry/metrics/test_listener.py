"""The port of `--metrics`: one page, which silent clients cannot keep from Prometheus."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from facecli.core.errors import InvalidInput
from facecli.telemetry.metrics.listener import MAX_CONNECTIONS, MetricsListener
from tests.support.web.http_client import ask, raw, received


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    listener = MetricsListener("127.0.0.1:0", lambda: b"up 1\n", idle=600)
    listener.start()
    yield listener.url.removesuffix("/metrics")
    listener.stop()


def test_the_page_is_answered_in_the_text_format(url: str) -> None:
    answer = ask(url, "/metrics")
    assert (answer.status, answer.body) == (200, b"up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    head = ask(url, "/metrics?collect=all", method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "5", b"")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 501)])
def test_everything_else_is_refused(url: str, method: str, path: str, status: int) -> None:
    assert ask(url, path, method=method).status == status


def test_silent_connections_do_not_keep_prometheus_out(url: str) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(raw(url, b"GET /met")) for _ in range(2 * MAX_CONNECTIONS)]
        assert ask(url, "/metrics").status == 200
        for oldest in silent[:MAX_CONNECTIONS]:
            assert received(oldest) == b""


def test_a_client_that_sends_nothing_is_cut() -> None:
    listener = MetricsListener("127.0.0.1:0", bytes, idle=0.05)
    listener.start()
    with raw(listener.url) as silent:
        assert received(silent) == b""
    listener.stop()


def test_an_address_of_ipv6_and_one_that_is_taken(url: str) -> None:
    with pytest.raises(InvalidInput, match="cannot listen on"):
        MetricsListener(url.removeprefix("http://"), bytes)
    if socket.has_dualstack_ipv6():
        listener = MetricsListener("[::1]:0", lambda: b"six")
        listener.start()
        assert ask(listener.url.removesuffix("/metrics"), "/metrics").body == b"six"
        listener.stop()
