"""The HTTP/1.1 connection: targets, hosts, sizes of heads and trailers, pipelines, and what is not HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from facecli.api.client_address import TrustedProxies
from facecli.web.connection import MAX_HEADER_BYTES, MAX_PIPELINED, READ_SIZE
from facecli.web.guards import RequestGate
from facecli.web.server import WebServer
from tests.support.web.http_client import raw, received, until

HOST = b"Host: a.example\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKED = b"POST /late HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"/?last"  # asks for the last response of a connection
LONG = b"y" * MAX_HEADER_BYTES


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it got: below /late once the body has ended, else at once."""
    body = b""
    if scope["path"] == "/late":
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
    found = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        "size": len(body),
    }
    data = json.dumps(found).encode()
    headers = [(b"content-length", str(len(data)).encode())]
    if scope["query_string"] == b"last":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = WebServer(
        echo,
        gate=RequestGate(),
        bind="127.0.0.1:0",
        tls=None,
        max_connections=8,
        proxies=TrustedProxies(),
    )
    server.start()
    yield server.url
    server.stop(1)


def exchange(url: str, sent: bytes) -> bytes:
    """Everything that the server answers until it closes the connection."""
    with raw(url, sent) as connection:
        return received(connection)


def answer(url: str, sent: bytes) -> Any:
    status, _, rest = exchange(url, sent).partition(b"\r\n")
    assert status == b"HTTP/1.1 200 OK", status
    return json.loads(rest.partition(b"\r\n\r\n")[2])


def refusal(url: str, sent: bytes) -> tuple[int, str]:
    """Status and reason of the only answer."""
    head, _, body = exchange(url, sent).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["reason"]


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        (b"/a%20b?c=d", "a.example", "/a b", "c=d"),
        (b"http://b.example:81/a?c=d", "b.example:81", "/a", "c=d"),
        (b"HTTPS://me:secret@b.example", "b.example", "/", ""),
        (b"http://[::1]:81?c", "[::1]:81", "/", "c"),
        (b"*", "a.example", "/*", ""),
    ],
)
def test_a_target_may_be_a_path_or_a_url_whose_host_counts(
    url: str, target: bytes, host: str, path: str, query: str
) -> None:
    found = answer(url, b"OPTIONS " + target + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert (found["path"], found["query"]) == (path, query)
    assert [value for name, value in found["headers"] if name == "host"] == [host]


@pytest.mark.parametrize(
    "head",
    [
        b"GET ftp://b.example/ HTTP/1.1\r\n" + HOST,
        b"CONNECT b.example:443 HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST,
        b"POST / HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Name : space\r\n",
    ],
)
def test_a_head_that_servers_could_read_differently_is_refused(url: str, head: bytes) -> None:
    assert refusal(url, head + b"\r\nabc") == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + LONG + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 6000 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + LONG,
    ],
)
def test_a_head_is_bounded_complete_or_not(url: str, sent: bytes) -> None:
    assert refusal(url, sent) == (431, "INVALID_INPUT")


@pytest.mark.parametrize("sent", [b"0\r\nX: " + LONG, b"0\r\n" + b"X: y\r\n" * 6000 + b"\r\n", b"1;" + LONG])
def test_trailers_and_the_sizes_of_chunks_are_bounded(url: str, sent: bytes) -> None:
    with raw(url, CHUNKED.replace(HOST, HOST + b"Expect: 100-continue\r\n")) as connection:
        until(connection, b"100 Continue\r\n\r\n")
        connection.sendall(sent)
        assert received(connection).startswith(b"HTTP/1.1 431 ")


def test_trailers_are_no_headers(url: str) -> None:
    found = answer(url, CHUNKED.replace(HOST, HOST + CLOSE) + b"1\r\nz\r\n0\r\nX: y\r\n\r\n")
    assert found["size"] == 1
    assert "x" not in dict(found["headers"])


def test_a_body_that_is_not_chunked_as_announced_is_answered(url: str) -> None:
    assert refusal(url, CHUNKED + b"3\r\nabc\r\nno size\r\n") == (400, "INVALID_INPUT")
    assert refusal(url, CHUNKED + b"3\r\nabcdef") == (400, "INVALID_INPUT")


def test_bytes_after_a_request_that_are_not_http_cost_no_response(url: str) -> None:
    first, second = (b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in (1, 2))
    responses = exchange(url, first + second + b"no HTTP")
    assert [responses.count(text) for text in (b"200 OK", b'"/1"', b'"/2"')] == [2, 1, 1]
    with raw(url, first) as connection:
        until(connection, b"}")
        connection.sendall(b"no HTTP\r\n")
        assert received(connection).startswith(b"HTTP/1.1 400 ")


def test_only_a_few_requests_wait_for_their_responses(url: str) -> None:
    responses = exchange(url, (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 1000)
    assert 1 <= responses.count(b"200 OK") <= MAX_PIPELINED + 2


def test_a_wish_for_another_protocol_is_ignored(url: str) -> None:
    wish = b"GET /1 HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    responses = exchange(url, wish + b"GET /2 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert [responses.count(text) for text in (b"200 OK", b'"/1"', b'"/2"')] == [2, 1, 1]


@pytest.mark.parametrize("size", [0, 1, READ_SIZE, 3 * READ_SIZE + 1])
def test_a_body_arrives_whole_however_large_its_parts_are(url: str, size: int) -> None:
    head = b"POST /late HTTP/1.1\r\n" + HOST + CLOSE + b"Content-Length: %d\r\n\r\n" % size
    assert answer(url, head + bytes(size))["size"] == size
    chunks = b"".join(b"%x\r\n%s\r\n" % (each, bytes(each)) for each in (1, 2, 70_000, size) if each)
    ends = CHUNKED.replace(HOST, HOST + CLOSE) + chunks + b"0\r\n\r\n"
    assert answer(url, ends)["size"] == 70_003 + size


@pytest.mark.parametrize("framing", [b"Content-Length: 5000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("target", "wish"), [(b"/1", CLOSE), (LAST, b"")], ids=["client", "server"])
def test_the_last_response_arrives_though_its_request_has_not(
    url: str, framing: bytes, target: bytes, wish: bytes
) -> None:
    """A connection that was closed before would be reset by the rest of the body."""
    chunked = framing.endswith(b"chunked")
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (5_000_000, bytes(5_000_000)) if chunked else bytes(5_000_000)
    with raw(url, b"POST " + target + b" HTTP/1.1\r\n" + HOST + wish + framing + b"\r\n\r\n") as connection:
        assert b"connection: close" in until(connection, b"}").lower()
        connection.sendall(body + b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert received(connection) == b""


def test_the_last_response_arrives_though_the_next_request_has_not(url: str) -> None:
    sizes = [100_000, 5_000_000]
    first, second = (
        b"POST /late?last HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size for size in sizes
    )
    with raw(url, first + bytes(sizes[0]) + second) as connection:
        until(connection, b"}")
        connection.sendall(bytes(sizes[1]) + first)
        assert received(connection) == b""


@pytest.mark.parametrize("earlier", [b"", b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n"], ids=["first", "second"])
def test_the_refusal_of_a_request_arrives_though_more_of_it_follows(url: str, earlier: bytes) -> None:
    with raw(url, earlier + b"no HTTP") as connection:
        assert until(connection, b"}").startswith(b"HTTP/1.1 200 OK" if earlier else b"HTTP/1.1 400 ")
        connection.sendall(bytes(5_000_000))
        assert received(connection) == b""
