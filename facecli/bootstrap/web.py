"""Assembles the HTTP server beside the gRPC server. Imported only with --http."""

from facecli.config.access import server_tls
from facecli.config.settings import Settings
from facecli.rpc.server import Server
from facecli.web.app import WebParts, create_app
from facecli.web.server import WebServer


def create_web_server(settings: Settings, server: Server, *, max_connections: int) -> WebServer:
    """A server on the address of `--http`; InvalidInput when it cannot listen there."""
    app = create_app(WebParts(ready=server.ready, rpc=server.in_process, limits=server.stream_limits))
    return WebServer(app, bind=settings.http, tls=server_tls(settings), max_connections=max_connections)
