"""Publishes the end of every request, also of those that are no calls or are refused by a guard."""

import time
from collections.abc import Sequence
from typing import Any

from facecli.core.events import EventBus, HttpRequestEnded
from facecli.web.guards import CORS_METHODS
from facecli.web.server import App

OTHER = "other"
EXACT = ("/", "/healthz", "/readyz", "/metrics")


class RequestEvents:
    """The outermost application. A route is one of `EXACT` or `prefixes`: clients choose no names."""

    def __init__(self, app: App, events: EventBus, *, prefixes: Sequence[str]) -> None:
        self._app = app
        self._events = events
        self._prefixes = prefixes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began, status = time.monotonic(), 0

        async def noted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._events.publish(
                HttpRequestEnded(
                    route=self._route(scope["path"]),
                    method=scope["method"] if scope["method"] in CORS_METHODS else OTHER,
                    status=status,
                    seconds=time.monotonic() - began,
                )
            )

    def _route(self, path: str) -> str:
        if path in EXACT:
            return path
        return next((each for each in self._prefixes if path == each or path.startswith(f"{each}/")), OTHER)
