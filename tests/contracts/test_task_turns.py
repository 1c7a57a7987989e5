"""The contract of TaskTurns: which pending task runs next."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count

import pytest
from sqlalchemy import Engine, insert

from facecli.core.errors import MediaRefused
from facecli.metadata import schema
from facecli.metadata.content.task_row import row_of
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import tasks
from facecli.metadata.task_records.turns import SqlTaskTurns
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import claims, transitions
from facecli.tasks.task import Priority, Task
from tests.support.builders import NEW

MANY = 500


class Tasks:
    """A database in which tasks are created, and run at once by one worker after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._repository = SqlTaskRepository(engine)
        self._turns = SqlTaskTurns(engine)
        self._numbers = count(1)

    def create(self, task_id: str, **changed: object) -> None:
        new = replace(NEW, owner=task_id[:3], **changed)  # type: ignore[arg-type]  # names of its fields
        self._repository.insert(new, task_id=task_id, now=float(next(self._numbers)))

    def create_many(self, owner: str) -> None:
        new = replace(NEW, owner=owner)
        rows = [row_of(Task.new(new, task_id=f"{owner}{n:03}", now=n / MANY)) for n in range(MANY)]
        with writing(self._engine) as connection:
            connection.execute(insert(tasks), rows)

    def start(self, *engines: str) -> str:
        """The id of the next task, which begins to run."""
        task_id = self._turns.next(engines or ["mock"])
        if task_id is None:
            return ""
        run = f"r{next(self._numbers)}"
        self._change(task_id, partial(transitions.claim, run=run, worker="w1"))
        return task_id

    def end(self, task_id: str) -> None:
        run = self._repository.get(task_id).run
        self._change(task_id, partial(transitions.fail, run=run, error=MediaRefused("no frames")))

    def give_back(self, task_id: str) -> None:
        self._change(task_id, partial(claims.release, run=self._repository.get(task_id).run))

    def run(self, number: int) -> list[str]:
        """Run so many tasks, one after the other."""
        started = []
        for _ in range(number):
            started.append(self.start())
            self.end(started[-1])
        return started

    def _change(self, task_id: str, change: Callable[[Task], Task]) -> None:
        self._repository.change(task_id, change, now=1.0)


@pytest.fixture
def waiting(either_database: str) -> Iterator[Tasks]:
    engine = open_database(either_database)
    schema.upgrade(engine)
    yield Tasks(engine)
    engine.dispose()


def test_a_single_task_does_not_wait_for_five_hundred_of_another_owner(waiting: Tasks) -> None:
    waiting.create_many("ann")
    assert waiting.run(2) == ["ann000", "ann001"]
    waiting.create("bob1")
    assert waiting.run(4) == ["ann002", "bob1", "ann003", "ann004"]


def test_owners_take_turns_task_by_task(waiting: Tasks) -> None:
    for task_id in ("ann1", "ann2", "ann3", "bob1", "bob2", "cat1"):
        waiting.create(task_id)
    assert waiting.run(6) == ["ann1", "bob1", "cat1", "ann2", "bob2", "ann3"]
    assert waiting.start() == ""


def test_a_stream_of_new_owners_keeps_nobody_waiting(waiting: Tasks) -> None:
    waiting.create("ann1")
    waiting.create("ann2")
    order = waiting.run(1)
    for owner in ("bob", "cat", "dan"):
        waiting.create(f"{owner}1")
        order += waiting.run(1)
    assert order == ["ann1", "ann2", "bob1", "cat1"]


def test_the_owner_with_fewer_running_tasks_comes_first(waiting: Tasks) -> None:
    for task_id in ("ann1", "ann2", "bob1", "bob2", "bob3"):
        waiting.create(task_id)
    assert [waiting.start(), waiting.start(), waiting.start()] == ["ann1", "bob1", "ann2"]
    waiting.end("bob1")
    assert [waiting.start(), waiting.start()] == ["bob2", "bob3"]


def test_a_priority_counts_among_the_tasks_of_its_owner_only(waiting: Tasks) -> None:
    waiting.create("ann1", priority=Priority.LOW)
    waiting.create("ann2")
    waiting.create("bob1", priority=Priority.LOW)
    waiting.create("ann3", priority=Priority.HIGH)
    assert waiting.run(4) == ["bob1", "ann3", "ann2", "ann1"]


def test_a_task_that_its_worker_gives_back_is_next_again(waiting: Tasks) -> None:
    for task_id in ("ann1", "ann2", "bob1", "cat1"):
        waiting.create(task_id)
    assert waiting.start() == "ann1"
    waiting.give_back("ann1")
    assert waiting.run(3) == ["ann1", "bob1", "cat1"]


def test_only_tasks_of_the_given_engines_have_a_turn(waiting: Tasks) -> None:
    waiting.create("ann1", engine="mesh")
    waiting.create("bob1")
    assert [waiting.start("mock"), waiting.start("mock")] == ["bob1", ""]
    assert waiting.start("mock", "mesh") == "ann1"
