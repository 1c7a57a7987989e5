"""The HTTP application: its routes, and the guards around them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facecli.api.admission import Admissions
from facecli.api.authentication import Authenticator
from facecli.api.client_address import TrustedProxies
from facecli.api.downloads import Downloads
from facecli.api.links import Links
from facecli.api.offset_uploads import OffsetUploads
from facecli.api.stream_deadline import StreamLimits
from facecli.core.errors import FacecliError
from facecli.core.events import EventBus
from facecli.rpc.in_process.server import InProcessServer
from facecli.telemetry.traces.spans import NO_TRACER, Tracer
from facecli.uploads.service import UploadService
from facecli.web.calls import WebCalls
from facecli.web.errors import bug_response, error_response, method_not_allowed, not_found
from facecli.web.files import PREFIXES, FilesApp
from facecli.web.forwarded import ForwardedClient
from facecli.web.guards import OriginGuard, RequestGate, SecurityHeaders
from facecli.web.monitoring import add_health, add_metrics
from facecli.web.request_events import RequestEvents
from facecli.web.rpc.app import RpcApp
from facecli.web.server import App
from facecli.web.static import PREFIX as CONSOLE
from facecli.web.static import StaticFiles
from facecli.web.tus.app import PREFIX as TUS_PREFIX
from facecli.web.tus.app import TusApp


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """The services behind the application; `ready` is whether the server takes calls.

    `metrics` returns the page for Prometheus, and is None where another port has it.
    `origins` is a pattern of those whose pages may call it. `local` is whether it trusts every caller, and
    only this machine can reach it.
    """

    ready: Callable[[], bool]
    metrics: Callable[[], bytes] | None
    rpc: InProcessServer
    authenticator: Authenticator
    admissions: Admissions
    events: EventBus
    upload_service: UploadService
    offset_uploads: OffsetUploads
    downloads: Downloads
    links: Links
    limits: StreamLimits
    max_file_size: int  # bytes
    origins: str
    local: bool
    proxies: TrustedProxies
    tracer: Tracer = NO_TRACER


def create_app(parts: WebParts, gate: RequestGate) -> App:
    # No page of API documentation: its scripts come from elsewhere.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _refusal)
    add_health(app, parts.ready)
    if parts.metrics:
        add_metrics(app, parts.metrics)
    rpc = RpcApp(parts.rpc, parts.limits)
    for prefix in rpc.prefixes:
        app.mount(prefix, rpc)
    static = StaticFiles()
    app.routes.append(Route("/", static))
    app.mount(CONSOLE, static)
    calls = WebCalls(parts.authenticator, parts.events, parts.tracer)
    files = FilesApp(
        calls, parts.downloads, parts.links, admission=parts.admissions.downloads, limits=parts.limits
    )
    for prefix in PREFIXES:
        app.mount(prefix, files)
    tus = TusApp(
        calls,
        parts.upload_service,
        parts.offset_uploads,
        admission=parts.admissions.uploads,
        max_file_size=parts.max_file_size,
    )
    app.routes.append(Route(TUS_PREFIX, tus))
    app.mount(TUS_PREFIX, tus)
    app.add_middleware(ErrorGuard)  # inside FastAPI's own answer to a bug, which would come first
    guarded = SecurityHeaders(OriginGuard(gate.guarding(app), pattern=parts.origins, local=parts.local))
    prefixes = (*rpc.prefixes, CONSOLE, *PREFIXES, TUS_PREFIX)
    return ForwardedClient(RequestEvents(guarded, parts.events, prefixes=prefixes), parts.proxies)


class ErrorGuard:
    """Answers a request that raised an error; a bug becomes an error id that the log explains."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def note(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note)
            return
        except FacecliError as error:
            response = error_response(error)
        except Exception as bug:
            response = bug_response(bug)
        if started:
            scope["state"]["connection"].abort()  # the client must not take half a response for a whole one
        else:
            await response(scope, receive, send)


async def _refusal(request: Request, error: Exception) -> Response:
    """The answer where no route fits."""
    headers = getattr(error, "headers", None) or {}
    if getattr(error, "status_code", 404) == 405:
        return method_not_allowed(*headers.get("Allow", "GET").split(", "))
    return not_found()
