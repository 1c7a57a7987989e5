"""tus-js-client and Uppy in a real browser, on a page of another origin, against a server that is killed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from facecli.api.offset_uploads import CHUNK_SIZE
from facecli.chaos.events import Direction
from facecli.chaos.proxy import Proxy
from tests.e2e.conftest import MakeFile, Serve
from tests.e2e.web.conftest import WebServer
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.support.sockets import reserved_address
from tests.support.web.http_client import Answer, ask
from tests.support.web.page import Page

pytestmark = needs("chromium")

CLIENTS = ["tus-js-client", "uppy"]
PART = 2_800_001  # bytes of a PATCH; no multiple of a chunk
WEB = ["--auth", "token", "--cors-origin", "http://localhost:*", "--workers", "0"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server that tests kill and start again."""
    with (
        reserved_address() as address,
        Server(tmp_path_factory.mktemp("server") / "data", options=[*WEB, "--http", address]) as running,
    ):
        yield WebServer(server=running, address=address)


class Transfer:
    """An upload by a client in the page, through a proxy that can hold its bytes."""

    def __init__(self, page: Page, client: str, proxy: Proxy, server: str, token: str) -> None:
        self._page = page
        self._client = client
        self._proxy = proxy
        self._server = server
        self._token = token

    def prepare(self, path: Path, *, part: int | None = None, wrong: int | None = None) -> None:
        """Choose the file. `wrong` is the number of bodies with a wrong checksum; None for no checksums."""
        self._page.browser.choose("file", path)
        given = {"endpoint": f"http://{self._proxy.address}/files/", "token": self._token}
        self._page.run("prepare", self._client, {**given, "chunkSize": part, "wrong": wrong})

    def pass_more(self, count: int) -> None:
        """Pass this many more bytes, and hold those behind."""
        self._proxy.release(Direction.SERVER)
        self._proxy.hold(Direction.SERVER, after=self._proxy.passed(Direction.SERVER) + count)

    def finish(self) -> None:
        """Pass all that follows, and wait for the end."""
        self._proxy.release(Direction.SERVER)
        assert eventually(lambda: self._page.state("transfer.outcome")) == "done"

    @property
    def url(self) -> str:
        return str(self._page.state("transfer.url ?? ''"))

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The responses that the page got since `prepare`."""
        answers: list[dict[str, Any]] = self._page.state("transfer.answers")
        return answers

    def head(self, url: str) -> Answer:
        """The answer of the server to somebody else."""
        headers = {"tus-resumable": "1.0.0", "authorization": f"Bearer {self._token}"}
        return ask(f"http://{self._server}", urlsplit(url).path, method="HEAD", headers=headers)

    def offset(self) -> int:
        return int(self.head(self.url).headers["upload-offset"])

    def wait_until_stored(self, minimum: int) -> int:
        """Wait for this offset or a larger one; the offset."""
        eventually(lambda: self.url)
        return eventually(lambda: (offset := self.offset()) >= minimum and offset)

    def check(self, path: Path) -> None:
        """Assert that the server has the bytes of this file."""
        stored = self.head(self.url).headers["upload-file-url"]
        token = {"authorization": f"Bearer {self._token}"}
        body = ask(f"http://{self._server}", str(stored), headers=token).body
        assert hashlib.sha256(body).hexdigest() == sha256(path)


@pytest.mark.parametrize(("client", "part"), [("tus-js-client", None), ("uppy", PART)])
def test_an_upload_goes_on_after_a_pause_a_kill_of_the_server_and_a_reload(
    page: Page, server: WebServer, client: str, part: int | None, file: MakeFile
) -> None:
    path, token = file(24, f"{client}.mp4"), server.token(client)
    with Proxy(server.address) as proxy:
        transfer = Transfer(page, client, proxy, server.address, token)
        transfer.prepare(path, part=part)
        transfer.pass_more(3 * CHUNK_SIZE // 2)
        page.run("start")
        answered, url = transfer.wait_until_stored(CHUNK_SIZE), transfer.url
        page.run("pause")
        proxy.cut()
        assert transfer.offset() >= answered

        transfer.pass_more(3 * CHUNK_SIZE // 2)
        page.run("resume")
        answered = transfer.wait_until_stored(2 * CHUNK_SIZE)
        server.server.kill()
        proxy.cut(reset=True)
        server.server.start()
        assert transfer.offset() >= answered
        transfer.pass_more(3 * CHUNK_SIZE // 2)
        transfer.wait_until_stored(3 * CHUNK_SIZE)  # the client goes on by itself
        offsets = [int(each["offset"]) for each in transfer.answers if each["offset"]]
        assert offsets == sorted(offsets)

        page.load()
        transfer.prepare(path, part=part)
        page.run("start")
        transfer.finish()
        first = transfer.answers[0]
        assert (transfer.url, first["method"]) == (url, "HEAD")
        assert int(first["offset"]) >= 3 * CHUNK_SIZE
        transfer.check(path)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_with_a_wrong_checksum_is_discarded_and_sent_again(
    page: Page, server: WebServer, client: str, file: MakeFile
) -> None:
    path = file(2, f"{client}-checked.mp4")
    with Proxy(server.address) as proxy:
        transfer = Transfer(page, client, proxy, server.address, server.token(client))
        transfer.prepare(path, part=MIB, wrong=1)
        page.run("start")
        transfer.finish()
        answers = [(each["method"], each["status"], each["offset"]) for each in transfer.answers]
        assert answers == [
            ("POST", 201, "0"),
            ("PATCH", 460, None),
            ("HEAD", 200, "0"),
            ("PATCH", 204, str(MIB)),
            ("PATCH", 204, str(2 * MIB)),
        ]
        transfer.check(path)


def test_an_upload_that_has_expired_is_begun_again(
    page: Page, serve: Serve, clock: FakeClock, file: MakeFile
) -> None:
    path = file(12)
    environment = {**clock.environment, "FACECLI_UPLOAD_EXPIRY": "1s"}
    with reserved_address() as address, Proxy(address) as proxy:
        server = WebServer(
            server=serve(options=[*WEB, "--http", address], environment=environment), address=address
        )
        transfer = Transfer(page, "tus-js-client", proxy, address, server.token("ann"))
        transfer.prepare(path)
        transfer.pass_more(3 * CHUNK_SIZE // 2)
        page.run("start")
        transfer.wait_until_stored(CHUNK_SIZE)
        url = transfer.url
        assert transfer.answers[0]["expires"].endswith(" GMT")
        page.load()
        proxy.cut()
        server.server.wait_for_log("cause=expired")  # to ask for the upload would postpone that
        transfer.prepare(path)
        page.run("start")
        transfer.finish()
        assert [each["status"] for each in transfer.answers] == [404, 201, 204]
        assert transfer.url != url
        transfer.check(path)
