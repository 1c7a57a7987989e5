"""Fixtures of the contract suites, which every implementation passes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.auth import TokenRepository
from facecli.core.blobs import BlobStore
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.feed import SqlTaskFeed, database_changes
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.tokens import SqlTokenRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.feed import TaskFeed
from facecli.tasks.leases import WorkerRepository
from facecli.tasks.repository import TaskRepository
from facecli.uploads.repository import UploadRepository

Open = Callable[[], tuple[UploadRepository, TaskRepository]]


@pytest.fixture
def open_repositories(either_database: str) -> Iterator[Open]:
    """A function that opens the repositories once more, as another process would."""
    engines = []

    def opened() -> tuple[UploadRepository, TaskRepository]:
        engine = open_database(either_database)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlUploadRepository(engine), SqlTaskRepository(engine)

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def open_tokens(either_database: str) -> Iterator[Callable[[], TokenRepository]]:
    """A function that opens the token repository once more, as another process would."""
    engines = []

    def opened() -> TokenRepository:
        engine = open_database(either_database)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlTokenRepository(engine)

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def upload_repository(open_repositories: Open) -> UploadRepository:
    return open_repositories()[0]


@pytest.fixture
def task_repository(open_repositories: Open) -> TaskRepository:
    return open_repositories()[1]


@pytest.fixture
def worker_repository(either_database: str) -> Iterator[WorkerRepository]:
    engine = open_database(either_database)
    schema.upgrade(engine)
    yield SqlWorkerRepository(engine)
    engine.dispose()


@pytest.fixture
def feed(task_repository: TaskRepository, either_database: str) -> TaskFeed:
    return SqlTaskFeed(task_repository, database_changes(either_database))


@pytest.fixture(params=["local"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return {"local": LocalBlobs}[request.param](tmp_path / "data")
