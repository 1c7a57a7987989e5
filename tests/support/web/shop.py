"""A server that requires tokens, with files of two users, and links to them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.bootstrap.server import Running, run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.wire.generated import file_service_pb2 as file_pb
from tests.support.web.http_client import Answer, ask
from tests.unit.rpc.conftest import bearing

DATA = bytes(range(256)) * 10


@dataclass
class Shop:
    """A server that requires tokens, with a file of ann and a file of bob."""

    server: Running
    made: Tokens
    secrets: dict[str, str]
    urls: dict[str, str]

    def get(self, path: str, user: str = "ann", *, method: str = "GET", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, path, None, user, named)

    def ask(
        self, method: str, path: str, body: bytes | None, user: str, headers: Mapping[str, str]
    ) -> Answer:
        token = {"authorization": f"Bearer {self.secrets[user]}"} if user else {}
        return ask(self.server.http, path, method=method, headers={**token, **headers}, body=body)

    def link(self, user: str = "ann", *, secret: str = "", seconds: int = 60) -> str:
        """The path and query of a link to the user's file."""
        request = file_pb.CreateLinkRequest(url=self.urls[user], expires_seconds=seconds)
        with bearing(self.server.address, secret or self.secrets[user]) as stubs:
            url = stubs.files.CreateLink(request).url
        assert url.startswith(self.server.http)
        return url.removeprefix(self.server.http)


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    settings = Settings(
        engine="mock",
        bind="127.0.0.1:0",
        http="127.0.0.1:0",
        data_dir=str(folder / "data"),
        workers=0,
        auth="token",
    )
    with tokens(settings) as made:
        secrets = {user: made.create(user, admin=user == "root")[1] for user in ("ann", "bob", "root")}
        with run_server(settings) as server:
            urls = {}
            for user in ("ann", "bob"):
                with bearing(server.address, secrets[user]) as stubs:
                    urls[user] = stubs.stored(DATA, user="")
            yield Shop(server, made, secrets, urls)
