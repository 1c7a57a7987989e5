"""Guards around requests: security headers, origin of the page, name of this server, and its end."""

import threading
from typing import Any

from starlette.middleware.cors import CORSMiddleware

from facecli.core.errors import NotAllowed, Unavailable
from facecli.web.errors import error_response
from facecli.web.origins import is_foreign, is_name_of_this_machine
from facecli.web.server import App

_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

# Sent unless a response sets its own.
SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": _POLICY,
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}

# Answered to the end: load balancers and monitoring ask for them.
OPEN = frozenset({"/healthz", "/readyz", "/metrics"})

CORS_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
CORS_HEADERS = (
    "authorization",
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-type",
    "facecli-notify-url",
    "grpc-timeout",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "tus-resumable",
    "upload-checksum",
    "upload-defer-length",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "x-grpc-web",
    "x-http-method-override",
    "x-request-id",
    "x-requested-with",
    "x-user-agent",
)
EXPOSED_HEADERS = (
    "accept-ranges",
    "content-disposition",
    "content-length",
    "content-range",
    "etag",
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "location",
    "repr-digest",
    "retry-after",
    "tus-checksum-algorithm",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-defer-length",
    "upload-expires",
    "upload-file-url",
    "upload-length",
    "upload-metadata",
    "upload-offset",
)
PREFLIGHT_SECONDS = 600  # for which a browser remembers what it may send


class SecurityHeaders:
    """Adds the security headers to every response."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def secured(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                names = {name.lower() for name, _ in headers}
                headers += [each for each in SECURITY_HEADERS.items() if each[0] not in names]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, secured)


class OriginGuard:
    """Refuses pages of foreign origins, and names that are not ours, before anything else sees the request.

    With `local` the server trusts every caller, so only names of this machine are its own.
    """

    def __init__(self, app: App, *, pattern: str, local: bool) -> None:
        self._app = CORSMiddleware(
            app,
            allow_origin_regex=pattern,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )
        self._pattern = pattern
        self._local = local

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        refusal = None
        if self._local and host and not is_name_of_this_machine(host):
            refusal = "this server answers only to localhost; require tokens with --auth token to change that"
        elif (origin := headers.get(b"origin", "")) and is_foreign(origin, host, self._pattern):
            refusal = "pages of this origin may not call this server; serve --cors-origin allows it"
        if refusal:
            await error_response(NotAllowed(refusal))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class RequestGate:
    """Refuses requests with 503 once it is closed, and knows when the last running one has ended."""

    def __init__(self) -> None:
        self._closed = False
        self._running = 0
        self._change = threading.Condition()

    def close(self) -> None:
        """Refuse requests from now on. Idempotent."""
        with self._change:
            self._closed = True

    def wait_empty(self, timeout: float) -> bool:
        """Whether all requests end within so many seconds."""
        with self._change:
            return self._change.wait_for(lambda: not self._running, max(0.0, timeout))

    def guarding(self, app: App) -> App:
        """The application behind the gate."""

        async def guarded(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] in OPEN:
                await app(scope, receive, send)
            elif self._enter():
                try:
                    await app(scope, receive, send)
                finally:
                    self._leave()
            else:
                refusal = Unavailable(
                    "the server is shutting down; try again in a second, or at another server", retry_after=1
                )
                response = error_response(refusal, headers={"connection": "close"})
                await response(scope, receive, send)

        return guarded

    def _enter(self) -> bool:
        with self._change:
            self._running += not self._closed
            return not self._closed

    def _leave(self) -> None:
        with self._change:
            self._running -= 1
            self._change.notify_all()
