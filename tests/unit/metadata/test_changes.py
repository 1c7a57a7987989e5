"""Change detection on an SQLite file."""

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


def test_only_commits_are_changes(engine: Engine, changes: FileChanges) -> None:
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


def test_a_commit_made_while_closed_is_a_change(engine: Engine, changes: FileChanges) -> None:
    changes.wait()
    changes.close()
    assert changes.wait()
    assert not changes.wait()


def test_an_unreadable_file_counts_as_changed(tmp_path: Path) -> None:
    changes = FileChanges(str(tmp_path / "none" / "facecli.db"), sleep=lambda seconds: None)
    assert changes.wait()
    assert changes.wait()
