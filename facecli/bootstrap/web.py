"""Assembles the HTTP server beside the gRPC server. Imported only with --http."""

import time
from collections.abc import Callable

from facecli.api.links import Links
from facecli.api.offset_uploads import OffsetUploads
from facecli.config.access import requires_authentication, server_tls
from facecli.config.settings import Settings
from facecli.core.addresses import is_local
from facecli.rpc.server import Server, ServerParts
from facecli.uploads.tails import TailRepository
from facecli.web.app import WebParts, create_app
from facecli.web.guards import RequestGate
from facecli.web.origins import origin_pattern
from facecli.web.server import WebServer


def create_web_server(
    settings: Settings,
    server: Server,
    parts: ServerParts,
    tails: TailRepository,
    *,
    metrics: Callable[[], bytes] | None,
    link_key: bytes,
    max_connections: int,
) -> WebServer:
    """A server on the address of `--http`; InvalidInput when it cannot listen there."""
    links = Links(link_key, clock=time.time)
    origins = [origin.strip() for origin in settings.cors_origin.split(",") if origin.strip()]
    web_parts = WebParts(
        ready=server.ready,
        metrics=metrics,
        rpc=server.in_process,
        authenticator=parts.authenticator,
        admissions=parts.admissions,
        events=parts.events,
        tracer=parts.tracer,
        upload_service=parts.upload_service,
        offset_uploads=OffsetUploads(parts.upload_service, tails, server.stream_limits),
        downloads=parts.downloads,
        links=links,
        limits=server.stream_limits,
        max_file_size=settings.max_file_size,
        origins=origin_pattern(origins),
        local=is_local(settings.http) and not requires_authentication(settings),
        proxies=parts.proxies,
    )
    gate = RequestGate()
    web = WebServer(
        create_app(web_parts, gate),
        gate=gate,
        bind=settings.http,
        tls=server_tls(settings),
        max_connections=max_connections,
        proxies=parts.proxies,
    )
    server.files.offer_links(links, settings.http_url.rstrip("/") or web.url)
    return web
