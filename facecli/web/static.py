"""The console: static files of the package, served at `/` and below `/console/`."""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from facecli.web.errors import method_not_allowed, not_found

PREFIX = "/console"
PAGE = "index.html"

# Scripts, styles and media come from this server only. A preview of a chosen file has a blob: URL.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class StaticFiles:
    """Serves the files of the console, all held in memory; a browser asks again whether they have changed."""

    def __init__(self) -> None:
        self._responses = {
            path: (file.read_bytes(), _TYPES[path.rpartition(".")[2]])
            for path, file in _files_below(files("facecli.web") / "console")
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope)
        path = PAGE if scope["path"] == "/" else scope["path"].removeprefix(f"{PREFIX}/")
        found = self._responses.get(path)
        if found is None:
            response = not_found()
        elif request.method not in {"GET", "HEAD"}:
            response = method_not_allowed("GET", "HEAD")
        else:
            response = _response(*found, known=request.headers.get("if-none-match", ""))
        await response(scope, receive, send)


def _response(content: bytes, media_type: str, *, known: str) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": POLICY,
        "cross-origin-opener-policy": "same-origin",
        "etag": tag,
    }
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _files_below(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found = list[tuple[str, Traversable]]()
    for each in folder.iterdir():
        path = f"{prefix}{each.name}"
        found += _files_below(each, f"{path}/") if each.is_dir() else [(path, each)]
    return found
