"""An SQLite file tells when somebody else wrote to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facecli.metadata.changes import FileChanges
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from tests.support.builders import NEW


@pytest.fixture
def path(engine: Engine, tmp_path: Path) -> Path:
    return tmp_path / "facecli.db"


@pytest.fixture
def changes(path: Path) -> Iterator[FileChanges]:
    changes = FileChanges(str(path), sleep=lambda seconds: None)
    yield changes
    changes.close()


def test_every_commit_is_a_change_and_nothing_else_is(engine: Engine, changes: FileChanges) -> None:
    repository = SqlTaskRepository(engine)
    assert changes.wait()  # whatever was written before
    assert not changes.wait()
    repository.insert(NEW, task_id="t1", now=100.0)
    assert changes.wait()
    repository.get("t1")
    assert not changes.wait()
    repository.change("t1", transitions.cancel, now=101.0)
    repository.change("t1", transitions.retry, now=102.0)
    assert changes.wait()
    assert not changes.wait()


def test_what_was_written_while_nobody_listened_counts(engine: Engine, changes: FileChanges) -> None:
    changes.wait()
    changes.close()
    assert changes.wait()
    assert not changes.wait()


def test_a_file_that_cannot_be_read_may_have_changed(tmp_path: Path) -> None:
    changes = FileChanges(str(tmp_path / "none" / "facecli.db"), sleep=lambda seconds: None)
    assert changes.wait()
    assert changes.wait()
