"""The PROXY protocol, versions 1 and 2: the first bytes of a connection, in which a proxy names its client.

Source: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
"""

import ipaddress
import re
import struct
from dataclasses import dataclass

from facecli.core.checksums import crc32c

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"  # of version 2
MAX_LINE = 107  # bytes of version 1 with its end
MAX_HEADER = 4096  # bytes; version 2 could have 64 KiB of extensions

_V1 = b"PROXY "
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP[46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (\d{1,5}) (\d{1,5}))\r\n"
)
_FIXED = 16  # bytes of version 2 before the addresses
_LOCAL, _PROXY = 0x20, 0x21  # version and command
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21  # family and transport
_CRC32C = 0x03  # type of an extension


class MalformedHeader(Exception):
    """The bytes begin no header of the protocol; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeader:
    """A header of `size` bytes. `client` is None where the proxy speaks for itself, or does not know."""

    size: int
    client: tuple[str, int] | None


def parse(data: bytes) -> ProxyHeader | None:
    """The header at the beginning of a connection; None while more bytes are needed. MalformedHeader."""
    if data.startswith(SIGNATURE):
        return _parse_binary(data)
    if data.startswith(_V1):
        return _parse_line(data)
    if SIGNATURE.startswith(data) or _V1.startswith(data):
        return None
    raise MalformedHeader("it begins with other bytes")


def _parse_line(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, MAX_LINE) + 1
    if not end:
        if len(data) >= MAX_LINE:
            raise MalformedHeader(f"its line is longer than {MAX_LINE} bytes")
        return None
    found = _LINE.fullmatch(data, 0, end)
    if not found:
        raise MalformedHeader("its line is malformed")
    family, source, destination, *ports = found.groups()
    if family is None:
        return ProxyHeader(size=end, client=None)
    version = int(family[-1:])
    hosts = [_checked(text, version) for text in (source, destination)]
    if max(map(int, ports)) > 65535:
        raise MalformedHeader("a port is too large")
    return ProxyHeader(size=end, client=(hosts[0], int(ports[0])))


def _checked(text: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(text.decode("ascii"))
    except ValueError as error:
        raise MalformedHeader("an address is malformed") from error
    if address.version != version:
        raise MalformedHeader("an address is of another family")
    return str(address)


def _parse_binary(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED:
        return None
    command, family, length = struct.unpack_from("!BBH", data, len(SIGNATURE))
    size = _FIXED + length
    if command not in (_LOCAL, _PROXY):
        raise MalformedHeader("its version or command is unknown")
    if size > MAX_HEADER:
        raise MalformedHeader(f"it is larger than {MAX_HEADER} bytes")
    if len(data) < size:
        return None
    if command == _LOCAL or family == _UNSPECIFIED:
        return ProxyHeader(size=size, client=None)
    widths = {_TCP4: 4, _TCP6: 16}
    if family not in widths:
        raise MalformedHeader("it is not about TCP")
    width = widths[family]
    if length < 2 * width + 4:
        raise MalformedHeader("it is too short for its addresses")
    host = ipaddress.ip_address(data[_FIXED : _FIXED + width])
    (port,) = struct.unpack_from("!H", data, _FIXED + 2 * width)
    _check_extensions(data[:size], _FIXED + 2 * width + 4)
    return ProxyHeader(size=size, client=(str(host), port))


def _check_extensions(header: bytes, at: int) -> None:
    """MalformedHeader for extensions that do not fill the header, and for a wrong checksum."""
    while at < len(header):
        if at + 3 > len(header):
            raise MalformedHeader("an extension is cut off")
        kind, length = struct.unpack_from("!BH", header, at)
        at += 3
        if at + length > len(header):
            raise MalformedHeader("an extension is cut off")
        if kind == _CRC32C:
            zeroed = header[:at] + bytes(length) + header[at + length :]
            if length != 4 or crc32c(zeroed) != int.from_bytes(header[at : at + 4], "big"):
                raise MalformedHeader("its checksum is wrong")
        at += length
