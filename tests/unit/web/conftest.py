"""A complete server in this process that serves HTTP, too, without workers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.bootstrap.server import Running, run_server
from facecli.config.settings import Settings
from tests.support.web.shop import Shop, open_shop
from tests.support.web.tus import Tus

ServeHttp = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        engine="mock",
        bind="127.0.0.1:0",
        http="127.0.0.1:0",
        data_dir=str(tmp_path / "data"),
        workers=0,
        drain_timeout=1,
    )


@pytest.fixture
def serve_http(settings: Settings) -> ServeHttp:
    """A factory of servers with changed settings."""

    @contextmanager
    def start(**changed: object) -> Iterator[Running]:
        with run_server(replace(settings, **changed)) as server:  # type: ignore[arg-type]
            yield server

    return start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that the tests of a module share."""
    data = tmp_path_factory.mktemp("server") / "data"
    with run_server(
        Settings(engine="mock", bind="127.0.0.1:0", http="127.0.0.1:0", data_dir=str(data), workers=0)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def tus(shop: Shop) -> Tus:
    return Tus(shop)
