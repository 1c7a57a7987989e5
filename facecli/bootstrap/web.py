"""Assembles the HTTP server beside the gRPC server. Imported only with --http."""

from facecli.config.access import requires_authentication, server_tls
from facecli.config.settings import Settings
from facecli.core.addresses import is_local
from facecli.rpc.server import Server
from facecli.web.app import WebParts, create_app
from facecli.web.origins import origin_pattern
from facecli.web.server import WebServer


def create_web_server(settings: Settings, server: Server, *, max_connections: int) -> WebServer:
    """A server on the address of `--http`; InvalidInput when it cannot listen there."""
    origins = [origin.strip() for origin in settings.cors_origin.split(",") if origin.strip()]
    parts = WebParts(
        ready=server.ready,
        rpc=server.in_process,
        limits=server.stream_limits,
        origins=origin_pattern(origins),
        local=is_local(settings.http) and not requires_authentication(settings),
    )
    return WebServer(
        create_app(parts), bind=settings.http, tls=server_tls(settings), max_connections=max_connections
    )
