"""Errors without an ErrorInfo of ours: from gRPC itself, a proxy, or a server that is not facecli."""

import re
from collections.abc import Mapping

import grpc

from facecli.core import errors
from facecli.core.errors import FacecliError

Code = grpc.StatusCode

_BY_CODE: dict[grpc.StatusCode, type[FacecliError]] = {
    Code.INVALID_ARGUMENT: errors.InvalidInput,
    Code.NOT_FOUND: errors.NotFound,
    Code.ALREADY_EXISTS: errors.AlreadyExists,
    Code.FAILED_PRECONDITION: errors.NotReady,
    Code.RESOURCE_EXHAUSTED: errors.LimitReached,
    Code.UNAUTHENTICATED: errors.Unauthenticated,
    Code.PERMISSION_DENIED: errors.NotAllowed,
    Code.UNAVAILABLE: errors.ServerUnreachable,
    Code.DEADLINE_EXCEEDED: errors.Unavailable,
    Code.CANCELLED: errors.Unavailable,
    Code.DATA_LOSS: errors.BytesDiffer,
    Code.ABORTED: errors.TakenOver,
}

_NO_GRPC = "it does not speak gRPC; a web server or another program may listen on this port"

# Texts of gRPC when a connection fails, and their meaning to people. Waiting helps against none of these.
_MISCONFIGURED = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate is expired or not signed by a trusted authority (--tls-ca)",
    "Hostname Verification": "its certificate is for another name",
    "WRONG_VERSION_NUMBER": "it does not use TLS",
    "Domain name not found": "no host has this name",
    "Name or service not known": "no host has this name",
    "Misformatted domain name": "this is not the name of a host",
}
_CONNECT_FAILURES = {
    "Socket closed": "it closed the connection; it may require TLS or a client certificate "
    "(--tls-cert, --tls-key), or be a proxy that reaches no server",
    "backend unhealthy": "its health service says that it does not serve",
    "http1.x server": _NO_GRPC,
    "Expected SETTINGS frame": _NO_GRPC,
}

# Texts of gRPC when a server has reached `maximum_concurrent_rpcs`, or accepts calls slower than they come.
_OVERLOADED = frozenset({"Concurrent RPC limit exceeded!", "Too many pending requests for this server"})

# Texts of gRPC, as UNKNOWN, when a proxy ended a stream whose server was gone, or in its own name.
_CUT = re.compile("Stream removed|http2 header with status: (408|5[0-9][0-9])")

_HTTP_STATUS = re.compile("http2 header with status: ([0-9]{3})")
_NO_TRAILERS = "END_STREAM flag"  # in the text of gRPC about a response that ended without a status
_PROXY_HINT = (
    "--server names gRPC's port; facecli generate haproxy and generate nginx print what passes gRPC on"
)
_AWAY = "; it does not reach the server behind it"
_AWAY_HINT = "facecli doctor --server HOST:PORT, with the address of the server itself, shows whether it runs"
_HTTP_MEANINGS = {
    **dict.fromkeys(("404", "405", "415"), "; it passes no gRPC on, or to a port that serves only HTTP"),
    **dict.fromkeys(("502", "503", "504"), _AWAY),
}

# Texts of gRPC about a response that it cannot take.
_UNREADABLE = re.compile("Exception deserializing response|CLIENT: .*message larger|metadata size exceeds")

# Texts of gRPC when no connection was ever established.
_CONNECTING = re.compile(
    "connect to|resol|DNS|connections to all backends failing|http1.x server|Expected SETTINGS frame",
    re.IGNORECASE,
)


def foreign_error(code: grpc.StatusCode, text: str, *, server: str) -> FacecliError:
    """The nearest error of ours."""
    if _UNREADABLE.search(text):
        return errors.UnexpectedResponse(f"the server {server} sent a response that cannot be read: {text}")
    if code is Code.INTERNAL or (code is Code.UNKNOWN and _CUT.search(text)):
        return _broken(server, text, text)
    if text in _OVERLOADED:
        return errors.TooManyCalls(f"{server} has too many calls", retry_after=1)
    kind = _BY_CODE.get(code)
    if kind is None:
        said = _of_proxy(text)
        return errors.UnexpectedResponse(
            f"the server {server} answered {code.name}: {said or text or 'without a text'}",
            hint=_PROXY_HINT if said else errors.UnexpectedResponse.hint,
        )
    if kind is errors.ServerUnreachable:
        return _unavailable(text, server)
    return kind(text or f"the server {server} answered {code.name}")


def _unavailable(text: str, server: str) -> FacecliError:
    if not _CONNECTING.search(text):
        return _broken(server, text, _cause(text))
    misconfigured = _meaning(_MISCONFIGURED, text)
    kind = errors.MisconfiguredConnection if misconfigured else errors.ServerUnreachable
    cause = misconfigured or _meaning(_CONNECT_FAILURES, text) or _cause(text)
    return kind(f"the server {server} cannot be reached: {cause}")


def _broken(server: str, text: str, cause: str) -> FacecliError:
    said = _of_proxy(text)
    hint = _AWAY_HINT if said.endswith(_AWAY) else ""
    return errors.Unavailable(f"the connection to {server} broke: {said or cause}", hint=hint)


def _of_proxy(text: str) -> str:
    """The meaning of an answer that no gRPC server gives; empty for others."""
    if _NO_TRAILERS in text:
        return (
            "a response ended without the trailers of HTTP/2; a proxy lost the server behind it, "
            "or passes no trailers on, which gRPC needs"
        )
    if status := _HTTP_STATUS.search(text):
        meaning = _HTTP_MEANINGS.get(status[1], "")
        return f"a proxy or a web server answered with the HTTP status {status[1]}{meaning}"
    return ""


def _meaning(meanings: Mapping[str, str], text: str) -> str:
    return next((meaning for words, meaning in meanings.items() if words in text), "")


def _cause(text: str) -> str:
    """The last of the texts that gRPC joins: it comes from the system, as in `Connection refused`."""
    last = text.rstrip("]").rsplit(": ", 1)[-1]
    return re.sub(r"[\[(][^\])]*$|[\])]+$", "", last).strip() or last
