"""`facecli task list`: filters by status, engine and time."""

import pytest

from tests.support.cli import TASK, facecli
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_list_is_newest_first_and_filters_by_status_and_limit(samples: Samples) -> None:
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


def test_list_filters_by_engine_and_time(samples: Samples) -> None:
    created = facecli("task", "create", "--image", samples.face, "--video", samples.clip, "--json").object
    whole = ("task", "list", "-q")
    for since, until, found in (
        ("1h", "0s", True),
        (created["created_at"], "2199-12-31", True),
        ("2199-12-31T18:30", "2200-01-01", False),
        ("2026-01-01", "1h", False),
    ):
        lines = facecli(*whole, "--since", since, "--until", until).lines
        assert lines == [created["task_id"]] * found
    assert facecli(*whole, "--engine", "mock").lines == [created["task_id"]]
    assert facecli(*whole, "--engine", "none").lines == []


def test_an_invalid_timestamp_is_rejected_with_examples() -> None:
    ran = facecli("task", "list", "--since", "yesterday", "--json")
    assert ran.code == 2
    assert "write 2h, 2026-11-24 or 2026-11-24T18:30" in ran.error["message"]


def test_an_empty_list_succeeds() -> None:
    ran = facecli("task", "list", "--json")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_an_unknown_status_is_rejected_with_the_valid_ones() -> None:
    ran = facecli("task", "list", "--status", "finished", "--json")
    assert ran.code == 2
    assert "'pending', 'processing', 'completed', 'failed', 'cancelled'" in ran.error["message"]
