"""Requests that come through a trusted proxy: their client is the one that the proxy names."""

from typing import Any

from facecli.api.client_address import TrustedProxies
from facecli.web.server import App


class ForwardedClient:
    """Replaces the client of a request; belongs around everything that asks for it.

    The address from which the request came stays as `peer`.
    """

    def __init__(self, app: App, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        host = scope["client"][0] if scope["client"] else ""
        headers = ((name.decode("latin-1"), value) for name, value in scope["headers"])
        if (client := self._proxies.client(host, headers)) != host:
            scope = {**scope, "client": (client, 0), "peer": scope["client"]}
        await self._app(scope, receive, send)
