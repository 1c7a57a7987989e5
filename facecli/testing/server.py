"""A real server for the tests of programs that use facecli."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from facecli.config.settings import Settings
from facecli.library.client import Client
from facecli.library.connect import connect
from facecli.local.server import LocalServer


@dataclass(frozen=True, slots=True)
class TestServer:
    """A running server; `address` is HOST:PORT."""

    __test__ = False  # pytest takes classes of such a name for tests

    address: str

    def connect(self, *, user: str = "") -> Client:
        """Return a client of this server, with no settings of the environment or of a profile."""
        return connect(self.address, user=user, token="", tls=False)


@contextmanager
def server(*, engine: str = "mock", workers: int = 1) -> Iterator[TestServer]:
    """Run a server with temporary data in a process of its own; leaving the context ends it.

    It listens on a free port of 127.0.0.1, trusts the user that a client names, and takes no settings of the
    environment. The engine `mock` draws the picture onto every frame. Needs ffmpeg. The server ends with the
    process of the test, also when that is killed.
    """
    settings = Settings(engine=engine, workers=workers, durability="process", log_level="warning")
    with (
        tempfile.TemporaryDirectory(prefix="facecli-testing-", ignore_cleanup_errors=True) as folder,
        LocalServer(Path(folder), replace(settings)) as running,
    ):
        yield TestServer(running.address)
