"""Single answers about tasks that a right server never gives, and what the client does about each."""

from pathlib import Path
from typing import Any

import pytest

from facecli.core.errors import FacecliError, UnexpectedResponse
from facecli.tasks.task import TaskFilter
from facecli.wire.generated import task_service_pb2 as tasks
from tests.support.cli import facecli
from tests.support.garbage.clients import Clients
from tests.support.garbage.plausible import (
    PLAUSIBLE,
    TASK_ID,
    log_record,
    task,
)
from tests.support.garbage.server import Answer, GarbageServer, of

BOMB = "\x1b]0;owned\x07\u202e\x9b31m"


def test_a_watch_that_ends_early_backs_off_and_ends(garbage: GarbageServer, clients: Clients) -> None:
    running = tasks.WatchTaskResponse(task=task("processing"))
    garbage.answers = {"WatchTask": of(running)}
    with pytest.raises(FacecliError, match="ended before the task"):
        list(clients.tasks.watch(TASK_ID, retry_for=60))
    assert garbage.count("WatchTask") < 30
    assert 50 < clients.time.now <= 60


def test_a_flood_of_changes_ends(garbage: GarbageServer, clients: Clients) -> None:
    flood = [
        tasks.WatchTaskResponse(task=task("processing", revision=number)).SerializeToString()
        for number in range(1, 5000)
    ]
    garbage.answers = {"WatchTask": lambda requests: Answer(messages=tuple(flood))}
    with pytest.raises(UnexpectedResponse, match="more than 1000 messages a second"):
        list(clients.tasks.watch(TASK_ID, retry_for=60))


def test_a_status_of_a_newer_server_is_shown_and_has_not_ended(
    garbage: GarbageServer, clients: Clients
) -> None:
    changes = [task("paused", revision=1), task("cooling\x1b", revision=2), task(revision=3)]
    garbage.answers = {"WatchTask": of(*(tasks.WatchTaskResponse(task=each) for each in changes))}
    seen = [each.status for each in clients.tasks.watch(TASK_ID, retry_for=60)]
    assert seen == ["paused", "cooling\\x1b", "completed"]


@pytest.mark.parametrize(
    ("tokens", "full"),
    [(["same"] * 300, True), (["same"] * 300, False), ([str(number) for number in range(300)], False)],
)
def test_a_list_in_a_circle_or_without_items_ends(
    garbage: GarbageServer, clients: Clients, tokens: list[str], full: bool
) -> None:
    following = iter(tokens)

    def page(requests: list[bytes]) -> Answer:
        answer = tasks.ListTasksResponse(tasks=[task()] if full else [], next_page_token=next(following))
        return Answer(messages=(answer.SerializeToString(),))

    garbage.answers = {"ListTasks": page}
    with pytest.raises(UnexpectedResponse, match="page"):
        list(clients.tasks.listed(TaskFilter(), limit=10_000))
    assert garbage.count("ListTasks") <= 100


def test_a_list_has_no_more_items_than_wanted(garbage: GarbageServer, clients: Clients) -> None:
    garbage.answers = {"ListTasks": of(tasks.ListTasksResponse(tasks=[task()] * 50, next_page_token="x"))}
    assert len(list(clients.tasks.listed(TaskFilter(), limit=7))) == 7


@pytest.mark.parametrize(
    "changed",
    [
        {"task_id": ""},
        {"status": ""},
        {"revision": -1},
        {"result_size": -1},
        {"created_at": {"seconds": 2**62}},
        {"updated_at": {"seconds": -(2**62)}},
        {"created_at": {"nanos": -1}},
        {"result_url": BOMB},
    ],
)
def test_an_impossible_task_is_named_with_its_server(garbage: GarbageServer, changed: dict[str, Any]) -> None:
    garbage.answers = {"GetTaskStatus": of(task(**changed))}
    ran = facecli("task", "status", TASK_ID, "--server", garbage.address, "--json")
    assert (ran.code, ran.error["reason"]) == (8, "UNEXPECTED_RESPONSE")
    assert ran.error["message"].startswith(f"the server {garbage.address} sent ")
    assert "another version of facecli, or not facecli" in ran.error["hint"]


@pytest.mark.parametrize("name", ["stage", "engine", "status"])
def test_text_of_a_server_cannot_control_the_terminal(garbage: GarbageServer, name: str) -> None:
    changed: dict[str, Any] = {"status": "processing", name: f"x{BOMB}"}
    garbage.answers = {"GetTaskStatus": of(task(**changed))}
    ran = facecli("task", "status", TASK_ID, "--server", garbage.address)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    if name != "engine":
        assert "x\\x1b]0;owned\\x07\\u202e\\x9b31m" in ran.out


def test_cosmetic_numbers_are_shown_within_their_range(garbage: GarbageServer, clients: Clients) -> None:
    garbage.answers = {"GetTaskStatus": of(task(progress=2**31 - 1, frames=-5, frames_done=-1, attempt=-1))}
    shown = clients.tasks.get(TASK_ID)
    assert (shown.progress, shown.frames, shown.frames_done, shown.attempt) == (100, 0, 0, 0)


def test_bytes_that_are_no_message_are_an_unexpected_response(
    garbage: GarbageServer, clients: Clients
) -> None:
    garbage.answers = {"GetTaskStatus": lambda requests: Answer(messages=(b"\xff\xff\xff",))}
    with pytest.raises(UnexpectedResponse, match="cannot be read"):
        clients.tasks.get(TASK_ID)


def test_no_message_at_all_is_an_unexpected_response(garbage: GarbageServer, clients: Clients) -> None:
    garbage.answers = {"GetServerInfo": of()}
    with pytest.raises(UnexpectedResponse, match="sent no message"):
        clients.files.info()


@pytest.mark.parametrize("url", ["/outputs/x/..", "/outputs/x/.bashrc", "/outputs/x/", "/outputs/x/-rf"])
def test_a_result_never_names_a_hidden_file_or_a_path(
    garbage: GarbageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    garbage.answers = {**PLAUSIBLE, "GetTaskStatus": of(task(result_url=url))}
    ran = facecli("task", "download", TASK_ID, "--server", garbage.address, "-q")
    assert (ran.code, ran.out) == (0, f"{TASK_ID}.mp4\n")


@pytest.mark.parametrize("name", ["level", "logger", "text"])
@pytest.mark.parametrize("form", [(), ("-q",), ("--json",)], ids=str)
def test_the_log_of_a_server_cannot_control_the_terminal(
    garbage: GarbageServer, name: str, form: tuple[str, ...]
) -> None:
    changed: dict[str, Any] = {name: f"x{BOMB}\n" * 10_000}
    answer = tasks.ListTaskLogsResponse(records=[log_record(**changed)])
    garbage.answers = {**PLAUSIBLE, "ListTaskLogs": of(answer)}
    ran = facecli("task", "logs", TASK_ID, "--server", garbage.address, *form)
    assert (ran.code, len(ran.lines)) == (0, 1)
    assert ran.out[:-1].isprintable()
    assert len(ran.out) < 10_000


@pytest.mark.parametrize(
    "changed",
    [
        {"dropped": -1},
        {"records": [log_record()] * 1001},
        {"records": [log_record(time={"seconds": 2**62})]},
        {"records": [log_record(time={"nanos": -1})]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_impossible_log_is_refused(garbage: GarbageServer, changed: dict[str, Any]) -> None:
    garbage.answers = {**PLAUSIBLE, "ListTaskLogs": of(tasks.ListTaskLogsResponse(**changed))}
    ran = facecli("task", "logs", TASK_ID, "--server", garbage.address, "--json")
    assert (ran.code, ran.error["reason"]) == (8, "UNEXPECTED_RESPONSE")


def test_a_watch_of_several_tasks_ignores_others_and_old_revisions_and_ends_with_the_last(
    garbage: GarbageServer, clients: Clients
) -> None:
    stranger = task()
    stranger.task_id = "f" * 32
    old, new = task("processing", revision=2), task(revision=3)
    messages = (tasks.WatchTasksResponse(tasks=[each]) for each in (stranger, old, old, new, new))
    garbage.answers = {"WatchTasks": of(*messages, endless=True)}
    seen = list(clients.tasks.watch_several({TASK_ID: 1}, retry_for=0))
    assert [(task_id, view and view.status) for task_id, view in seen] == [
        (TASK_ID, "processing"),
        (TASK_ID, "completed"),
    ]
