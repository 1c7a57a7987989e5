"""Health of the server, for load balancers and supervisors; needs no credentials."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

METHODS = ["GET", "HEAD"]


def add_health(app: FastAPI, ready: Callable[[], bool]) -> None:
    """`/healthz` answers while the process runs, `/readyz` only while it takes calls."""

    async def alive(request: Request) -> Response:
        return _answer("ok")

    async def takes_calls(request: Request) -> Response:
        return _answer("ready") if ready() else _answer("not ready", code=503)

    app.add_route("/healthz", alive, methods=METHODS)
    app.add_route("/readyz", takes_calls, methods=METHODS)


def _answer(status: str, *, code: int = 200) -> Response:
    return JSONResponse({"status": status}, status_code=code, headers={"cache-control": "no-store"})
