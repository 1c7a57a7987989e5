"""Every implementation of a seam: a second one is a second param, and has the same suite to pass."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.blobs.local import LocalBlobs
from facecli.core.auth import TokenRows
from facecli.core.blobs import BlobStore
from facecli.core.tasks import TaskFeed, TaskRows
from facecli.core.uploads import UploadRows
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.feed import PollingFeed
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.tokens import SqlTokenRows
from facecli.metadata.uploads import SqlUploadRows

Open = Callable[[], tuple[UploadRows, TaskRows]]


@pytest.fixture(params=["sqlite"])
def open_rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same rows again and again, as every process does for itself."""
    url = {"sqlite": f"sqlite:///{tmp_path}/facecli.db"}[request.param]
    engines = []

    def opened() -> tuple[UploadRows, TaskRows]:
        engine = open_database(url)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlUploadRows(engine), SqlTaskRows(engine)

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=["sqlite"])
def open_tokens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], TokenRows]]:
    """The same for tokens."""
    url = {"sqlite": f"sqlite:///{tmp_path}/facecli.db"}[request.param]
    engines = []

    def opened() -> TokenRows:
        engine = open_database(url)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlTokenRows(engine)

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def upload_rows(open_rows: Open) -> UploadRows:
    return open_rows()[0]


@pytest.fixture
def task_rows(open_rows: Open) -> TaskRows:
    return open_rows()[1]


@pytest.fixture(params=["polling"])
def feed(request: pytest.FixtureRequest, task_rows: TaskRows) -> TaskFeed:
    return {"polling": PollingFeed}[request.param](task_rows, interval=0.01)


@pytest.fixture(params=["local"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return {"local": LocalBlobs}[request.param](tmp_path / "data")
