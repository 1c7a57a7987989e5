"""Every implementation of a seam: a second one is a second param, and has the same suite to pass."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.auth import TokenRows
from facecli.core.blobs import BlobStore
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.feed import SqlTaskFeed, changes_of
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.tokens import SqlTokenRows
from facecli.metadata.uploads import SqlUploadRows
from facecli.metadata.workers import SqlWorkerRows
from facecli.tasks.feed import TaskFeed
from facecli.tasks.leases import WorkerRows
from facecli.tasks.task import TaskRows
from facecli.uploads.repository import UploadRows

Open = Callable[[], tuple[UploadRows, TaskRows]]


@pytest.fixture
def open_rows(either_database: str) -> Iterator[Open]:
    """Opens the same rows again and again, as every process does for itself."""
    engines = []

    def opened() -> tuple[UploadRows, TaskRows]:
        engine = open_database(either_database)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlUploadRows(engine), SqlTaskRows(engine)

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def open_tokens(either_database: str) -> Iterator[Callable[[], TokenRows]]:
    """The same for tokens."""
    engines = []

    def opened() -> TokenRows:
        engine = open_database(either_database)
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


@pytest.fixture
def worker_rows(either_database: str) -> Iterator[WorkerRows]:
    engine = open_database(either_database)
    schema.upgrade(engine)
    yield SqlWorkerRows(engine)
    engine.dispose()


@pytest.fixture
def feed(task_rows: TaskRows, either_database: str) -> TaskFeed:
    return SqlTaskFeed(task_rows, changes_of(either_database))


@pytest.fixture(params=["local"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return {"local": LocalBlobs}[request.param](tmp_path / "data")
