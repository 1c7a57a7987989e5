"""The page of metrics; like health, it needs no credentials and no slot."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from facecli.web.health import METHODS

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4"


def add_metrics(app: FastAPI, page: Callable[[], bytes]) -> None:
    async def metrics(request: Request) -> Response:
        return Response(page(), media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})

    app.add_route(PATH, metrics, methods=METHODS)
