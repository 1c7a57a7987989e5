"""The PROXY protocol: its headers byte by byte, and connections that begin with one."""

import ipaddress
import logging
import ssl
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.certificates import make_dev_certificates
from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.web.proxy_protocol import MAX_HEADER, MAX_LINE, SIGNATURE, MalformedHeader, ProxyHeader, parse
from tests.support.eventually import eventually
from tests.support.web.http_client import raw, received
from tests.unit.web.conftest import ServeHttp

LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n"
REQUEST = b"POST /video.VideoService/CreateTask HTTP/1.1\r\nHost: localhost\r\n"
REQUEST += b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def binary(
    command: int = 0x21, family: int = 0x11, extensions: bytes = b"", client: str = "203.0.113.7"
) -> bytes:
    """A header of version 2."""
    hosts = ipaddress.ip_address(client).packed, ipaddress.ip_address("192.0.2.1").packed
    if family == 0x21:
        hosts = hosts[0], ipaddress.ip_address("2001:db8::1").packed
    body = b"".join(hosts) + struct.pack("!HH", 40000, 443) + extensions
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def with_checksum() -> bytes:
    empty = binary(extensions=extension(3, bytes(4)))
    return empty[:-4] + crc32c(empty).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (LINE, ("203.0.113.7", 40000)),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", ("2001:db8::7", 1)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
        (binary(), ("203.0.113.7", 40000)),
        (binary(family=0x21, client="2001:db8::7"), ("2001:db8::7", 40000)),
        (binary(extensions=extension(1, b"h2") + extension(0x20, b"x" * 200)), ("203.0.113.7", 40000)),
        (with_checksum(), ("203.0.113.7", 40000)),
        (binary(command=0x20), None),
        (SIGNATURE + b"\x20\x00\x00\x00", None),
        (SIGNATURE + b"\x21\x00\x00\x00", None),
    ],
)
def test_a_header_is_complete_with_its_last_byte_and_no_byte_sooner(
    header: bytes, client: tuple[str, int] | None
) -> None:
    assert parse(header + b"GET / HTTP/1.1") == ProxyHeader(size=len(header), client=client)
    assert parse(header) == ProxyHeader(size=len(header), client=client)
    for end in range(len(header)):
        assert parse(header[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
        b"PROXZ",
        LINE.replace(b"TCP4", b"TCP6"),
        LINE.replace(b"TCP4", b"UDP4"),
        LINE.replace(b"203.0.113.7", b"203.0.113.777"),
        LINE.replace(b"203.0.113.7", b"::1%eth0"),
        LINE.replace(b" 443", b""),
        LINE.replace(b"443", b"65536"),
        LINE.replace(b"443", b"-1"),
        LINE.replace(b" 443", b"  443"),
        LINE.replace(b"\r\n", b"\n"),
        b"PROXY UNKNOWN" + b"x" * MAX_LINE,
        b"PROXY UNKNOWN \r x\r\n",
        binary(command=0x31),
        binary(command=0x22),
        binary(family=0x12),
        binary(family=0x31),
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, MAX_HEADER),
        binary(extensions=b"\x01\x00"),
        binary(extensions=b"\x01\x00\x05abc"),
        binary(extensions=extension(3, bytes(4))),
        binary(extensions=extension(3, bytes(3))),
    ],
)
def test_malformed_headers_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedHeader):
        parse(data)


@given(st.sampled_from([b"", SIGNATURE, b"PROXY TCP4 "]), st.binary(max_size=300))
def test_no_bytes_break_the_parser(start: bytes, rest: bytes) -> None:
    try:
        header = parse(start + rest)
    except MalformedHeader:
        return
    assert header is None or 0 < header.size <= len(start + rest)


def peers(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The addresses in the audit records so far."""
    return [record.peer for record in caplog.records if record.name == "facecli.audit"]  # type: ignore[attr-defined]


def test_the_named_client_is_audited_and_only_trusted_proxies_name_one(
    serve_http: ServeHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    proxied = {"proxy_header": "proxy-protocol", "trusted_proxies": "127.0.0.1/32"}
    forged = REQUEST.replace(b"\r\n", b"\r\nX-Forwarded-For: 198.51.100.1\r\n", 1)
    with serve_http(**proxied) as server:
        with raw(server.http, binary() + forged) as whole:
            assert received(whole).startswith(b"HTTP/1.1 400 ")
        with raw(server.http, LINE[:20]) as parts:
            parts.sendall(LINE[20:])
            parts.sendall(REQUEST)
            assert received(parts).startswith(b"HTTP/1.1 400 ")
        with raw(server.http, binary(command=0x20) + REQUEST) as own:
            assert received(own).startswith(b"HTTP/1.1 400 ")
            own_address = f"ipv4:127.0.0.1:{own.getsockname()[1]}"
        eventually(lambda: len(peers(caplog)) == 3)
        assert peers(caplog) == ["ipv4:203.0.113.7:40000", "ipv4:203.0.113.7:40000", own_address]
        with raw(server.http, REQUEST) as bare:
            assert received(bare) == b""
        eventually(lambda: "connection closed: malformed PROXY header" in caplog.messages)
    with serve_http(**{**proxied, "trusted_proxies": "192.0.2.1"}) as server:
        with raw(server.http, LINE + REQUEST) as untrusted:
            assert received(untrusted).startswith(b"HTTP/1.1 400 ")
        assert len(peers(caplog)) == 3  # it was no request at all


def test_the_header_comes_before_the_tls_handshake(
    serve_http: ServeHttp, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    certs = make_dev_certificates(tmp_path / "certs", hosts=["localhost"], user="ann")
    changed = {"http": "localhost:0", "tls_cert": str(certs.server), "tls_key": str(certs.server_key)}
    with serve_http(**changed, proxy_header="proxy-protocol", trusted_proxies="127.0.0.1,::1") as server:
        context = ssl.create_default_context(cafile=str(certs.ca))
        with (
            raw(server.http, binary()) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(REQUEST)
            assert received(secured).startswith(b"HTTP/1.1 400 ")
        eventually(lambda: peers(caplog) == ["ipv4:203.0.113.7:40000"])


def test_the_header_of_requests_names_the_client_of_each(
    serve_http: ServeHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    name = b"\r\nX-Forwarded-For: %b\r\n"
    first = REQUEST.replace(b"\r\nConnection: close\r\n", name % b"203.0.113.7")
    last = REQUEST.replace(b"\r\n", name % b"198.51.100.1, 203.0.113.8", 1)
    with serve_http(trusted_proxies="127.0.0.1") as server, raw(server.http, first + last) as kept_alive:
        assert received(kept_alive).count(b"HTTP/1.1 400 ") == 2
    assert peers(caplog) == ["ipv4:203.0.113.7", "ipv4:203.0.113.8"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"proxy_header": "proxy-protocol"}, "needs --trusted-proxies"),
        ({"proxy_header": "proxy-protocol", "trusted_proxies": "::1", "http": ""}, "is for --http"),
        ({"trusted_proxies": "10.0.0.1/8"}, "is no network"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    serve_http: ServeHttp, changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence), serve_http(**changed):
        pass
