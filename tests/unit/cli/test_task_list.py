"""`facecli task list`: of a state, an engine, a time."""

import pytest

from tests.support.cli import TASK, facecli
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_list_has_the_newest_first_and_obeys_status_and_limit(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "-q", "--watch")
    first = facecli(*command).lines[0]
    second = facecli(*command, "--option", "fail_at=0").lines[0]
    assert facecli("task", "list", "-q").lines == [second, first]
    assert facecli("task", "list", "-q", "--limit", "1").lines == [second]
    assert facecli("task", "list", "-q", "--status", "completed").lines == [first]
    assert [set(task) for task in facecli("task", "list", "--json").objects] == [TASK, TASK]
    assert [line.split()[:2] for line in facecli("task", "list").lines] == [
        [second, "failed"],
        [first, "completed"],
    ]


def test_list_can_be_of_an_engine_and_of_a_time(samples: Samples) -> None:
    made = facecli("task", "create", "--image", samples.face, "--video", samples.clip, "--json").object
    whole = ("task", "list", "-q")
    for since, until, found in (
        ("1h", "0s", True),
        (made["created_at"], "2199-12-31", True),
        ("2199-12-31T18:30", "2200-01-01", False),
        ("2026-01-01", "1h", False),
    ):
        lines = facecli(*whole, "--since", since, "--until", until).lines
        assert lines == [made["task_id"]] * found
    assert facecli(*whole, "--engine", "mock").lines == [made["task_id"]]
    assert facecli(*whole, "--engine", "none").lines == []


def test_a_time_that_is_none_is_refused_with_some_that_are() -> None:
    ran = facecli("task", "list", "--since", "yesterday", "--json")
    assert ran.code == 2
    assert "write 2h, 2026-11-24 or 2026-11-24T18:30" in ran.error["message"]


def test_a_list_of_nothing_is_empty_and_done() -> None:
    ran = facecli("task", "list", "--json")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_status_that_does_not_exist_is_refused_with_those_that_do() -> None:
    ran = facecli("task", "list", "--status", "finished", "--json")
    assert ran.code == 2
    assert "'pending', 'processing', 'completed', 'failed', 'cancelled'" in ran.error["message"]
