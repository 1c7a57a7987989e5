"""The head of an HTTP/1.1 request: its target and its host, by RFC 9112."""

import re

from facecli.core.errors import InvalidInput

Headers = list[tuple[bytes, bytes]]

_ABSOLUTE = re.compile(rb"https?://(?:[^/?#@]*@)?([^/?#@]+)([^#]*)", re.IGNORECASE)


def origin_form(target: bytes, headers: Headers) -> bytes:
    """The path and query of a request's target; InvalidInput for a target that no server has.

    A target with a host, as for a proxy, replaces the header Host.
    """
    if target.startswith(b"/"):
        return target
    if target == b"*":
        return b"/*"  # the server as a whole, which is no resource here
    if not (match := _ABSOLUTE.fullmatch(target)):
        raise InvalidInput("the target of the request is neither a path nor a URL of http")
    host, path = match.groups()
    headers[:] = [(b"host", host), *((name, value) for name, value in headers if name != b"host")]
    return path if path.startswith(b"/") else b"/" + path


def check_host(headers: Headers, version: str) -> None:
    """InvalidInput without exactly one Host, which only HTTP/1.0 does without."""
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and version != "1.0"):
        raise InvalidInput("the request needs exactly one header Host")


def announces_body(headers: Headers) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ") != b"")
        for name, value in headers
    )


def body_length(headers: Headers) -> int:
    """The length of the body that follows; 0 if the head does not tell it."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return 0
        if name == b"content-length" and value.isdigit():
            length = int(value)
    return length
