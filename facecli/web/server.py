"""The HTTP server: uvicorn in a thread of its own; start and graceful stop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import uvicorn

from facecli.api.client_address import TrustedProxies
from facecli.core.errors import Unavailable
from facecli.core.tls import ServerTls
from facecli.web.connection import KEEP_ALIVE_SECONDS, Connection
from facecli.web.listener import Listener
from facecli.web.tls import RenewedContext

ANSWER_SECONDS = 10.0  # for a callback in the event loop
HANDSHAKE_SECONDS = 20.0  # from accepting a connection to the end of the TLS handshake, as for gRPC

App = Callable[[Any, Any, Any], Awaitable[None]]  # ASGI


class Gate(Protocol):
    """Keeps new requests out, and knows when the last one has ended."""

    def close(self) -> None: ...

    def wait_empty(self, timeout: float) -> bool: ...


class WebServer:
    """Serves an ASGI application from `start` to `stop`, at `address`; `gate` is that of its requests."""

    def __init__(
        self,
        app: App,
        *,
        gate: Gate,
        bind: str,
        tls: ServerTls | None,
        max_connections: int,
        proxies: TrustedProxies,
    ) -> None:
        self.gate = gate
        self._tls = RenewedContext.loaded(tls) if tls else None
        self._socket = Listener.bound(bind, max_connections=max_connections, proxies=proxies)
        host = bind.rpartition(":")[0]
        self.address = f"{host}:{self._socket.getsockname()[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.address}"
        self._app = app
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        tls = self._tls
        config = uvicorn.Config(
            self._app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,  # ForwardedClient reads them, with the rules of gRPC
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ssl_context_factory=(lambda config, default: tls) if tls else None,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(server,), name="web", daemon=True)
        self._thread.start()

    def answer(self) -> None:
        """Return once the event loop has run a callback; Unavailable if that takes too long."""
        answered = threading.Event()
        if self._loop:
            self._loop.call_soon_threadsafe(answered.set)
            if not answered.wait(ANSWER_SECONDS):
                raise Unavailable(f"the event loop of {self.url} does not answer")

    def stop(self, grace: float) -> None:
        """Refuse new connections, let the running requests end within `grace` seconds, then cancel them."""
        if self._server and self._thread:
            self._server.config.timeout_graceful_shutdown = max(1, int(grace))
            self._server.should_exit = True
            self._thread.join()
        self.close()

    def _run(self, server: uvicorn.Server) -> None:
        with asyncio.Runner(loop_factory=_EventLoop) as runner:
            self._loop = runner.get_loop()
            runner.run(server.serve(sockets=[self._socket]))

    def close(self) -> None:
        """Free the port of a server that may not have started."""
        self._socket.close()


class _EventLoop(asyncio.SelectorEventLoop):
    """Limits the time for a TLS handshake. uvicorn has no setting for it, and asyncio's own is a minute."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
        return await super().create_server(*args, **options)
