"""`facecli task logs`, and the hint that leads a failed command to it."""

import re
import shlex
from pathlib import Path

import pytest

from facecli.wire.generated import task_service_pb2 as tasks
from tests.support.cli import Ran, Server, facecli
from tests.support.garbage.plausible import TASK_ID, log_record, task
from tests.support.garbage.server import GarbageServer, garbage_server, of
from tests.unit.cli.conftest import Samples

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (info |error)   facecli\.[\w.]+ .+")


@pytest.fixture
def failed(user: str, samples: Samples) -> str:
    """ID of a failed task, whose key is `order`."""
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--id", "order", "-q")
    ran = facecli(*command, "--option", "fail_at=0.5", "--watch")
    assert ran.code == 3
    return ran.lines[0]


def test_one_line_per_record_says_why_the_task_failed(failed: str) -> None:
    ran = facecli("task", "logs", failed)
    assert (ran.code, ran.err) == (0, "")
    assert all(LINE.fullmatch(line) for line in ran.lines)
    assert ran.lines[0].endswith("task started engine=mock attempt=1")
    assert "task failed: " in ran.lines[-1]
    assert "fail_at=0.5" in ran.lines[-1]
    assert ", facecli.engines.mock.MockEngine.swap:" in ran.lines[-1]


def test_json_prints_an_object_per_record_and_quiet_the_texts(failed: str) -> None:
    objects = facecli("task", "logs", failed, "--json").objects
    assert all(set(each) == {"time", "level", "logger", "text", "round", "attempt"} for each in objects)
    assert [each["level"] for each in objects] == ["info", "error"]
    assert {(each["round"], each["attempt"]) for each in objects} == {(1, 1)}
    assert facecli("task", "logs", failed, "-q").lines == [each["text"] for each in objects]


@pytest.mark.parametrize("reference", ["order", "beginning"])
def test_a_key_and_the_beginning_of_an_id_are_taken(failed: str, reference: str) -> None:
    named = "order" if reference == "order" else failed[:12]
    assert facecli("task", "logs", named).out == facecli("task", "logs", failed).out


def test_a_retry_adds_to_the_log(failed: str) -> None:
    assert facecli("task", "retry", failed).code == 0
    assert facecli("task", "watch", failed).code == 3
    rounds = [each["round"] for each in facecli("task", "logs", failed, "--json").objects]
    assert rounds == [1, 1, 2, 2]


def test_an_unknown_task_and_that_of_another_user_are_not_found(
    failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert facecli("task", "logs", "nobody").code == 5
    monkeypatch.setenv("FACECLI_USER", "mallory")
    ran = facecli("task", "logs", failed, "--json")
    assert (ran.code, ran.out, ran.error["reason"]) == (5, "", "TASK_NOT_FOUND")


def check_hint(ran: Ran, hint: str) -> None:
    """The hint names a command with the connection of this one, and that command works."""
    assert ran.code == 3
    command, _, rest = hint.partition(" shows why")
    assert rest == ""
    assert command.startswith("facecli task logs ")
    shown = facecli(*shlex.split(command)[1:])
    assert (shown.code, shown.err) == (0, "")
    assert "fail_at=0.5" in shown.out


@pytest.mark.parametrize("command", ["watch", "fail fast", "create", "swap"])
def test_a_failure_hints_at_the_log_with_the_options_of_the_connection(
    server: Server, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("FACECLI_SERVER", raising=False)
    connection = ("--server", server.address, "--user", f"hint {command}")
    fails = ("--option", "fail_at=0.5", *connection)
    inputs = ("--image", samples.face, "--video", samples.clip)
    if command == "swap":
        ran = facecli("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4", *fails, "--json")
    elif command == "create":
        ran = facecli("task", "create", *inputs, *fails, "--watch", "--json")
    else:
        task_id = facecli("task", "create", *inputs, *fails, "-q").lines[0]
        more = ("--fail-fast",) if command == "fail fast" else ()
        ran = facecli("task", "watch", task_id, *more, *connection, "--json")
        plain = facecli("task", "watch", task_id, *more, *connection)
        assert plain.err.splitlines()[-1] == f"  hint: {ran.error['hint']}"
    check_hint(ran, ran.error["hint"])


def test_a_cancelled_task_hints_at_no_log(slow: str) -> None:
    facecli("task", "cancel", slow)
    assert facecli("task", "watch", slow, "--json").error["hint"] == ""


@pytest.mark.parametrize("form", [(), ("-q",), ("--json",)], ids=str)
def test_dropped_records_and_an_empty_log_are_named_on_stderr(form: tuple[str, ...]) -> None:
    def ran(server: GarbageServer, answer: tasks.ListTaskLogsResponse) -> Ran:
        server.answers = {"GetTaskStatus": of(task("failed")), "ListTaskLogs": of(answer)}
        return facecli("task", "logs", TASK_ID, "--server", server.address, *form)

    with garbage_server({}) as server:
        some = ran(server, tasks.ListTaskLogsResponse(records=[log_record()], dropped=37))
        none = ran(server, tasks.ListTaskLogsResponse())
    assert (some.code, len(some.lines)) == (0, 1)
    assert "37 older records were dropped; these are the newest 1" in some.err
    assert (none.code, none.out) == (0, "")
    assert f"nothing was logged for task {TASK_ID}, which is failed" in none.err
