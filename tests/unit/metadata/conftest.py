"""A migrated database file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facecli.metadata import schema
from facecli.metadata.database import open_database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/facecli.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def either_engine(either_database: str) -> Iterator[Engine]:
    """A migrated database of each kind."""
    engine = open_database(either_database)
    schema.upgrade(engine)
    yield engine
    engine.dispose()
