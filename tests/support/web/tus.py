"""Requests of a tus client, as its specification writes them."""

import base64
from collections.abc import Mapping

from tests.support.web.http_client import Answer
from tests.support.web.shop import Shop

BODY_TYPE = "application/offset+octet-stream"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Tus:
    """A client that acts for a user of a shop."""

    def __init__(self, shop: Shop, user: str = "ann") -> None:
        self._shop = shop
        self._user = user

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        """A request; a header that is None is left out."""
        named = {"tus-resumable": "1.0.0", **(headers or {})}
        sent = {name: value for name, value in named.items() if value is not None}
        return self._shop.ask(method, path, body, self._user, sent)

    def create(
        self, size: int | None, body: bytes = b"", *, name: str = "clip.mp4", **headers: str
    ) -> Answer:
        length = {"upload-defer-length": "1"} if size is None else {"upload-length": str(size)}
        kind = {"content-type": BODY_TYPE} if body else {}
        metadata = {"upload-metadata": f"filename {encoded(name)},empty"}
        return self.ask("POST", "/files", body, {**length, **metadata, **kind, **_named(headers)})

    def begun(self, size: int | None, body: bytes = b"") -> str:
        """The path of a new upload."""
        answer = self.create(size, body)
        assert answer.status == 201, answer.body
        return str(answer.headers["location"])

    def append(self, path: str, offset: int, body: bytes, **headers: str) -> Answer:
        sent = {"upload-offset": str(offset), "content-type": BODY_TYPE, **_named(headers)}
        return self.ask("PATCH", path, body, sent)

    def offset(self, path: str) -> int:
        return int(self.ask("HEAD", path).headers["upload-offset"])


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
