"""Two runs that write the log of a task at the same time on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from facecli.core.errors import Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks.logs.record import LogEntry
from tests.support.builders import NEW, claim
from tests.support.eventually import eventually

ENTRY = LogEntry(time=1.0, level="info", logger="engine", text="second")
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_write_that_meets_another_one_can_be_repeated(postgresql: str) -> None:
    engine = open_database(postgresql)
    schema.upgrade(engine)
    tasks, logs = SqlTaskRepository(engine), SqlTaskLogRepository(engine)
    tasks.insert(NEW, task_id="t1", now=1.0)
    claim(tasks)
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(postgresql) as other,
        psycopg.connect(postgresql, autocommit=True) as observer,
    ):
        other.execute("INSERT INTO task_logs VALUES ('t1', 1, 1, 1, 1.0, 'info', 'engine', 'first')")
        writing = pool.submit(logs.append, "t1", [ENTRY], run="r1", dropped=0)
        eventually(lambda: observer.execute(WAITING).fetchone() == (1,))
        other.commit()
        with pytest.raises(Unavailable, match="changed meanwhile"):
            writing.result()
    logs.append("t1", [ENTRY], run="r1", dropped=0)
    assert [record.text for record in logs.read("t1").records] == ["first", "second"]
    engine.dispose()
