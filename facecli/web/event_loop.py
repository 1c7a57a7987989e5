"""The event loop of the HTTP server, which limits the time for a TLS handshake."""

import asyncio
from typing import Any

HANDSHAKE_SECONDS = 20.0  # from accepting a connection to the end of the TLS handshake, as for gRPC


class EventLoop(asyncio.SelectorEventLoop):
    """uvicorn has no setting for this time, and asyncio's own is a minute."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
        return await super().create_server(*args, **options)
