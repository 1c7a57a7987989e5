"""ListTaskLogs: the log of a task for its owner, in any state of the task, and for nobody else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.metadata.database import open_database
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks.logs.record import MAX_RECORDS, MAX_TEXT, LogEntry
from facecli.wire.generated import task_service_pb2 as pb
from tests.support.builders import NEW, claim
from tests.support.rpc.refusals import refusal
from tests.unit.rpc.conftest import Stubs

DEFAULT_MESSAGE_SIZE = 4 * 1024 * 1024  # bytes; of a gRPC client without options


@pytest.fixture
def stubs(settings: Settings) -> Iterator[Stubs]:
    """A server with a task of ann that a worker holds, and its log; the client has gRPC's own limits."""
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        engine = open_database(f"sqlite:///{Path(settings.data_dir) / 'facecli.db'}")
        with closing(engine.raw_connection()):
            tasks, logs = SqlTaskRepository(engine), SqlTaskLogRepository(engine)
            tasks.insert(NEW, task_id="t1", now=100.0)
            claim(tasks)
            text = "😀" * MAX_TEXT
            entries = [
                LogEntry(time=100.5, level="error", logger="corner.model", text=text)
                for _ in range(MAX_RECORDS)
            ]
            logs.append("t1", entries, run="r1", dropped=0)
            logs.append("t1", [LogEntry(time=101.5, level="info", logger="e", text="b")], run="r1", dropped=0)
        engine.dispose()
        yield Stubs(channel)


def listed(stubs: Stubs, task_id: str = "t1", user: str = "ann") -> pb.ListTaskLogsResponse:
    return stubs.tasks.ListTaskLogs(pb.ListTaskLogsRequest(user_id=user, task_id=task_id))


def test_the_owner_gets_every_field_and_the_number_of_dropped_records(stubs: Stubs) -> None:
    answer = listed(stubs)
    assert (len(answer.records), answer.dropped) == (MAX_RECORDS, 1)
    first, last = answer.records[0], answer.records[-1]
    assert (first.time.seconds, first.time.nanos) == (100, 500_000_000)
    assert (first.level, first.logger, first.text) == ("error", "corner.model", "😀" * MAX_TEXT)
    assert (first.round, first.attempt, last.text) == (1, 1, "b")
    assert 1_500_000 < answer.ByteSize() < DEFAULT_MESSAGE_SIZE


@pytest.mark.parametrize(("task_id", "user"), [("t1", "bob"), ("t2", "ann"), ("", "ann")])
def test_a_task_of_another_user_is_not_found(stubs: Stubs, task_id: str, user: str) -> None:
    code, error, _ = refusal(lambda: listed(stubs, task_id, user))
    assert (code, error.reason) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")
    assert error.message == f"there is no task {task_id}"


def test_the_log_of_a_cancelled_task_says_so_once(stubs: Stubs) -> None:
    for _ in range(2):
        stubs.tasks.CancelTask(pb.CancelTaskRequest(user_id="ann", task_id="t1"))
    records = listed(stubs).records
    assert [record.text for record in records][-2:] == ["b", "task cancelled"]
    assert (records[-1].level, records[-1].logger, records[-1].attempt) == ("info", "facecli.server", 1)
