"""Fixtures of the contract suites, which every implementation passes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.blobs.file_cache import FileCache
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
from tests.support.blobs.s3_servers import SMALL_PART

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


@pytest.fixture(params=["local", "moto", "rclone"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return _blob_store(request, tmp_path)


@pytest.fixture(params=["local", "moto"])
def replacing(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Not rclone's server: it passes parts on as they come, and can replace none."""
    return _blob_store(request, tmp_path)


def _blob_store(request: pytest.FixtureRequest, directory: Path) -> BlobStore:
    if request.param == "local":
        return LocalBlobs(directory / "data")
    from facecli.blobs.s3.store import S3Blobs

    server = request.getfixturevalue(request.param)
    cache = FileCache(directory / "cache", limit=1000)
    return S3Blobs(server.bucket(), cache, min_part=SMALL_PART)
