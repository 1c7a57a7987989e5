"""Many watchers in one thread receive what each would receive alone."""

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from facecli.bench.load_watchers import open_watchers
from facecli.client.connection import Connection
from facecli.core.errors import NotFound
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from tests.support.builders import NEW, claim


@pytest.mark.slow
def test_every_watcher_receives_all_updates_with_their_times(connection: Connection, data: Path) -> None:
    engine = open_database(f"sqlite:///{data}/facecli.db")
    repository = SqlTaskRepository(engine)
    repository.insert(NEW, task_id="t1", now=time.time())
    claim(repository)

    def work() -> None:
        for progress in (10, 20, 30):
            advance = partial(transitions.advance, run="r1", progress=progress, stage="swapping")
            repository.change("t1", advance, now=time.time())
        repository.change("t1", transitions.cancel, now=time.time())

    worker = threading.Thread(target=work)
    logs = open_watchers(connection, "t1", user="ann", count=300, ready=worker.start)
    worker.join()
    engine.dispose()
    assert len(logs) == 300
    for log in logs:
        assert [task.ended for _, task in log] == [False] * (len(log) - 1) + [True]
        revisions = [task.revision for _, task in log]
        assert revisions == sorted(set(revisions))
        assert all(at >= task.updated_at for at, task in log)


def test_an_unknown_task_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFound):
        open_watchers(connection, "nope", user="ann", count=3, ready=lambda: None)
