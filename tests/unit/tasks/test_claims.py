"""Who has a task: taken once per delivery, never a second time; deaths are counted."""

from dataclasses import replace

import pytest

from facecli.core.errors import ProgramKilled, TakenOver, TaskEnded
from facecli.metadata.tasks import SqlTaskRows
from facecli.tasks import claims
from facecli.tasks import task as tasks
from facecli.tasks.claims import Claim
from facecli.tasks.task import TaskStatus
from tests.support.builders import NEW
from tests.support.storage import Place


@pytest.fixture
def rows(place: Place) -> SqlTaskRows:
    rows = place.opened(SqlTaskRows)
    rows.insert(NEW, task_id="t1", now=1.0)
    return rows


def lose(rows: SqlTaskRows, claim: Claim, most: int = 5) -> None:
    rows.change("t1", lambda task: claims.lost(task, run=claim.run, most=most), now=2.0)


def test_a_claim_takes_a_task_and_begins_again_with_what_it_has(rows: SqlTaskRows) -> None:
    claim = Claim(worker="w1")
    assert claim.take(rows, "t1", now=2.0).attempt == 1
    again = claim.take(rows, "t1", now=3.0)
    assert (again.attempt, again.run, again.worker, again.status) == (
        2,
        claim.run,
        "w1",
        TaskStatus.PROCESSING,
    )


def test_what_was_lost_cannot_be_had_again_though_nobody_has_taken_it_yet(rows: SqlTaskRows) -> None:
    frozen, other = Claim(worker="w1"), Claim(worker="w2")
    frozen.take(rows, "t1", now=2.0)
    lose(rows, frozen)
    with pytest.raises(TakenOver):
        frozen.take(rows, "t1", now=3.0)
    taken = other.take(rows, "t1", now=4.0)
    with pytest.raises(TakenOver):
        frozen.take(rows, "t1", now=5.0)
    assert rows.get("t1") == taken


def test_a_worker_that_froze_before_it_took_a_task_takes_it_from_nobody(rows: SqlTaskRows) -> None:
    taken = Claim(worker="w2").take(rows, "t1", now=2.0)
    with pytest.raises(TakenOver):
        Claim(worker="w1").take(rows, "t1", now=3.0)
    assert rows.get("t1") == taken


def test_an_ended_task_is_not_taken(rows: SqlTaskRows) -> None:
    rows.change("t1", tasks.cancelled, now=2.0)
    with pytest.raises(TaskEnded):
        Claim(worker="w1").take(rows, "t1", now=3.0)


def test_the_last_of_so_many_deaths_fails_a_task_and_says_why(rows: SqlTaskRows) -> None:
    for deaths in range(1, 4):
        claim = Claim(worker="w1")
        claim.take(rows, "t1", now=2.0)
        lose(rows, claim, most=3)
        assert rows.get("t1").deaths == deaths
    task = rows.get("t1")
    assert (task.status, task.error_reason) == (TaskStatus.FAILED, "PROGRAM_KILLED")
    assert "killed 3 times" in task.error_message


def test_deaths_of_ffmpeg_count_with_those_of_workers(rows: SqlTaskRows) -> None:
    claim, error = Claim(worker="w1"), ProgramKilled("ffmpeg was killed")
    task = claim.take(rows, "t1", now=2.0)
    struck = claims.struck(replace(task, deaths=1), run=claim.run, most=3, error=error)
    assert (struck.status, struck.deaths) == (TaskStatus.PROCESSING, 2)
    assert claims.struck(struck, run=claim.run, most=3, error=error).error_message == "ffmpeg was killed"


def test_an_orderly_end_of_a_worker_is_no_death(rows: SqlTaskRows) -> None:
    claim = Claim(worker="w1")
    task = claims.given_back(claim.take(rows, "t1", now=2.0), run=claim.run)
    assert (task.status, task.deaths, task.run, task.worker) == (TaskStatus.PENDING, 0, "", "")
