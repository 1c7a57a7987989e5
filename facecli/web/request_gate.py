"""The gate of a server that drains: running requests end, new ones are refused."""

import threading
from typing import Any

from facecli.core.errors import Unavailable
from facecli.web.errors import error_response
from facecli.web.server import App

# Answered to the end: load balancers and monitoring ask for them.
OPEN = frozenset({"/healthz", "/readyz", "/metrics"})


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
