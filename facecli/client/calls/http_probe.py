"""Calls of a server over HTTP: who it takes the caller for, and whether a proxy buffers requests."""

import http.client
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError

from facecli.api.server_info import ServerInfo
from facecli.core.errors import FacecliError, MisconfiguredConnection, ServerUnreachable, UnexpectedResponse
from facecli.core.tls import ClientTls
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb

ANSWER_TIMEOUT = 5.0  # seconds, for an answer to a whole request
REFUSAL_TIMEOUT = 2.0  # seconds, for one that needs no body, beside four times what an answer took before
MAX_ANSWER = 1 << 20  # bytes

_GENERATE = "facecli generate haproxy and facecli generate nginx print what passes it on"
_ANNOUNCED = 1 << 20  # bytes of a body of which only the first is sent
_STATUSES = {
    **dict.fromkeys((404, 405, 415), ("it passes no HTTP on to the server", _GENERATE)),
    **dict.fromkeys(
        (502, 503, 504),
        (
            "it does not reach the server's HTTP port",
            "start the servers with --http, and give the proxy that port: facecli generate haproxy and "
            "facecli generate nginx take it as --http-port",
        ),
    ),
}
_CLOSED_HINT = (
    "a proxy must begin each connection with the PROXY protocol (--pass-through of facecli generate) if the "
    "server has --proxy-header proxy-protocol and this proxy in --trusted-proxies, and else must not; the "
    "server's log says what came"
)


class HttpProbe:
    """Calls of one server at the URL of its HTTP, each on a connection of its own."""

    def __init__(self, url: str, *, tls: ClientTls | None, token: str, user: str) -> None:
        self._url = url
        self._parts = urlsplit(url)
        self._tls = tls or ClientTls()
        self._access = {"authorization": f"Bearer {token}"} if token else {}
        self._user = user
        self._answer_seconds = 0.0

    def info(self) -> ServerInfo | None:
        """The server's information, as the caller gets it; None if it wants a token that was not sent."""
        began = time.monotonic()
        request = pb.GetServerInfoRequest(user_id=self._user).SerializeToString()
        headers = {**self._access, "content-type": "application/proto", "connect-protocol-version": "1"}
        status, body = self._ask(
            "/video.FileService/GetServerInfo", {**headers, "content-length": str(len(request))}, request
        )
        self._answer_seconds = time.monotonic() - began
        if status == 401 and not self._access:
            return None
        if status != 200:
            raise self._refused(status)
        try:
            return wire.info_from_message(pb.GetServerInfoResponse.FromString(body))
        except DecodeError as error:
            raise UnexpectedResponse(
                f"{self._url} does not answer as facecli does", hint=_GENERATE
            ) from error

    def is_buffered(self) -> bool:
        """Whether a request reaches the server only when all of its body was sent.

        It is one that the server refuses by its headers alone: it lacks the version of tus.
        """
        headers = {"content-type": "application/offset+octet-stream", "content-length": str(_ANNOUNCED)}
        try:
            self._ask("/files/", headers, b"0", within=REFUSAL_TIMEOUT + 4 * self._answer_seconds)
        except TimeoutError:
            return True
        return False

    def _ask(
        self, path: str, headers: Mapping[str, str], body: bytes, *, within: float = 0.0
    ) -> tuple[int, bytes]:
        """Status and body. TimeoutError if `within` is given and passes, else an error of ours."""
        with closing(self._connection(within or ANSWER_TIMEOUT)) as connection:
            try:
                connection.putrequest("POST", self._parts.path.rstrip("/") + path)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                response = connection.getresponse()
                return response.status, response.read(MAX_ANSWER)
            except TimeoutError as error:
                if within:
                    raise
                raise self._unreachable(f"it does not answer within {ANSWER_TIMEOUT:g} s") from error
            except ssl.SSLCertVerificationError as error:
                raise self._unreachable(
                    f"its certificate is not valid ({error.verify_message}; --tls-ca names your own CA)"
                ) from error
            except ConnectionRefusedError as error:
                raise self._unreachable("nothing listens there") from error
            except (ssl.SSLError, ConnectionError, http.client.HTTPException) as error:
                closed = f"{self._url} closes its connections without an answer of HTTP"
                raise MisconfiguredConnection(closed, hint=_CLOSED_HINT) from error
            except OSError as error:
                raise self._unreachable(error.strerror or str(error)) from error

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        context = ssl.create_default_context()
        if self._tls.ca:  # that of gRPC; HTTP may have a certificate of a public authority
            context.load_verify_locations(self._tls.ca)
        if self._tls.cert:
            context.load_cert_chain(self._tls.cert, self._tls.key, password="")
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)

    def _unreachable(self, cause: str) -> FacecliError:
        return ServerUnreachable(
            f"{self._url}, which the server names for HTTP, cannot be reached: {cause}",
            hint="check --http-url of the server, and that the proxy listens there",
        )

    def _refused(self, status: int) -> FacecliError:
        cause, hint = _STATUSES.get(status, ("it is not facecli's answer", _GENERATE))
        return MisconfiguredConnection(
            f"{self._url} answers HTTP with the status {status}: {cause}", hint=hint
        )
