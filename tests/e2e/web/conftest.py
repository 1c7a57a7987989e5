"""A server with HTTP and tokens, and a browser."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.support.e2e.files import MIB
from tests.support.e2e.process import CommandResult, invoke
from tests.support.e2e.server import Server
from tests.support.sockets import free_port
from tests.support.web.browser import Browser, chromium
from tests.support.web.page import Page, bundle, served


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServer:
    """A server that requires tokens; `address` is that of HTTP."""

    server: Server
    address: str

    def token(self, user: str) -> str:
        return invoke("token", "create", user, "--data-dir", self.server.data).out.strip()

    def command(self, token: str, *arguments: object) -> CommandResult:
        """Run a command as the user of a token."""
        settings = {"FACECLI_SERVER": self.server.address, "FACECLI_TOKEN": token}
        return invoke(*arguments, environment=settings)


@pytest.fixture
def web_server(serve: Serve) -> WebServer:
    address = f"127.0.0.1:{free_port()}"
    server = serve(options=["--auth", "token", "--http", address, "--workers", "1", "--consent-required"])
    return WebServer(server=server, address=address)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with chromium(downloads) as running:
        yield running


@pytest.fixture(scope="session")
def browsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of another origin, in a browser that all tests share which need no other state of it."""
    folder = tmp_path_factory.mktemp("page")
    bundle(folder)
    with served(folder) as port, chromium(folder) as browser:
        yield Page(browser, port)


@pytest.fixture
def page(browsed: Page) -> Page:
    browsed.load()
    return browsed


@pytest.fixture
def padded_clip(clip: Path, tmp_path: Path) -> Iterator[Path]:
    """A clip that browsers play, with free space of 34 MiB at its end, or as many as CONSOLE_MIB says."""
    path, size = tmp_path / "holiday.mp4", int(os.environ.get("CONSOLE_MIB", "34")) * MIB
    noise = os.urandom(MIB)
    with path.open("wb") as file:
        file.write(clip.read_bytes() + struct.pack(">I4s", size, b"free"))
        file.writelines(index.to_bytes(8, "big") + noise[8:] for index in range(size // MIB - 1))
        file.write(noise[8:])
    yield path
    path.unlink()
