"""Health and metrics, for load balancers and monitoring; they need no credentials and no slot."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

METRICS_TYPE = "text/plain; version=0.0.4"

_METHODS = ["GET", "HEAD"]
_HEADERS = {"cache-control": "no-store"}


def add_health(app: FastAPI, ready: Callable[[], bool]) -> None:
    """`/healthz` answers while the process runs, `/readyz` only while it takes calls."""

    async def alive(request: Request) -> Response:
        return _answer("ok")

    async def takes_calls(request: Request) -> Response:
        return _answer("ready") if ready() else _answer("not ready", code=503)

    app.add_route("/healthz", alive, methods=_METHODS)
    app.add_route("/readyz", takes_calls, methods=_METHODS)


def add_metrics(app: FastAPI, page: Callable[[], bytes]) -> None:
    async def metrics(request: Request) -> Response:
        return Response(page(), media_type=METRICS_TYPE, headers=_HEADERS)

    app.add_route("/metrics", metrics, methods=_METHODS)


def _answer(status: str, *, code: int = 200) -> Response:
    return JSONResponse({"status": status}, status_code=code, headers=_HEADERS)
