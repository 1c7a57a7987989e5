"""A durable queue on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from facecli.metadata.database import translate_errors
from facecli.queue.client import DbosTaskQueue, migrate_queue


@pytest.fixture
def url(either_database: str) -> str:
    migrate_queue(either_database)
    return either_database


@pytest.fixture
def queue(url: str) -> Iterator[DbosTaskQueue]:
    queue = DbosTaskQueue(url, errors=translate_errors)
    yield queue
    queue.close()
