"""The cost of every call on a database with many rows: that of one with few.

Costs are counted, not timed, so they are the same in every run: SQLite counts the instructions of its virtual
machine, PostgreSQL the rows that it reads. `python -m tests.support.scale measure` times the same calls.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from facecli.metadata.database import open_database, translate_errors
from facecli.queue.client import DbosTaskQueue
from tests.support.postgres import Postgres
from tests.support.scale.fill import fill, is_sqlite
from tests.support.scale.operations import Service, operations
from tests.support.scale.rows import Scale

FEW = Scale(uploads=1000, tasks=500, waiting=20, running=5)
MANY = Scale(uploads=4000, tasks=2000, waiting=20, running=5)
PAGE = 10  # rows
BACKLOG = Scale(uploads=1000, tasks=1000, waiting=820, running=5)
ENDED = Scale(uploads=1000, tasks=1000, waiting=20, running=5)
OF_BACKLOG = ("needed by a task?", "queue:")  # operations that look for few of the unfinished tasks
MARGIN = 1.3  # a statement that reads all rows costs four times as much
SMALL = {"sqlite": 100, "postgresql": 10}  # of costs, where a few rows more or less make no difference
EXPLAINING = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_level = notice",
    "SET enable_seqscan = off",  # which is cheaper for these few rows: only a query without an index uses it
)


class CostCounter:
    """Counts the costs of the statements on connections."""

    def __init__(self) -> None:
        self.cost = 0
        self._known = set[int]()

    def watch(self, connection: Any, *_: object) -> None:
        """Count on a connection from now on."""
        if id(connection.dbapi_connection) in self._known:
            return
        self._known.add(id(connection.dbapi_connection))
        driver = connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            driver.set_progress_handler(self._count_instruction, 1)
        elif isinstance(driver, psycopg.Connection):
            for statement in EXPLAINING:
                driver.execute(statement)
            driver.commit()
            driver.add_notice_handler(self._count_rows)

    def of(self, call: Callable[[], object]) -> int:
        before = self.cost
        call()
        return self.cost - before

    def _count_instruction(self) -> int:
        self.cost += 1
        return 0

    def _count_rows(self, notice: psycopg.errors.Diagnostic) -> None:
        _, found, plan = (notice.message_primary or "").partition("plan:")
        if found:
            self.cost += sum(map(_rows_read, _nodes(json.loads(plan)["Plan"])))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows_read(node: Mapping[str, Any]) -> int:
    if not node["Node Type"].endswith("Scan") or node["Node Type"] == "Bitmap Heap Scan":
        return 0
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return int(node["Actual Loops"]) * sum(int(node.get(name, 0)) for name in names)


def costs(
    url: str, scale: Scale, directory: Path, *, queue_url: str = "", only: Sequence[str] = ("",)
) -> Mapping[str, int]:
    """The cost of every operation with one of `only` in its name, when it is called for the second time."""
    fill(url, scale, queue_url=queue_url)
    counter = CostCounter()

    def watch(_: object, record: Any, proxy: object) -> None:
        counter.watch(record)

    with ExitStack() as stack:
        engine = open_database(url, durable=False)
        stack.callback(engine.dispose)
        event.listen(engine, "checkout", watch)
        queue = None
        if queue_url:
            queue = DbosTaskQueue(queue_url, errors=translate_errors)
            stack.callback(queue.close)
            event.listen(queue._client._sys_db.engine, "checkout", watch)
        service = Service(scale=scale, engine=engine, directory=directory, page=PAGE, queue=queue)
        found = Counter[str]()
        for name, call in operations(service):
            if any(each in name for each in only):
                call()
                found[name] = counter.of(call)
        return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_call_costs_more_on_a_database_with_more_rows(
    kind: str, postgres: Postgres, tmp_path: Path
) -> None:
    found = []
    for scale in (FEW, MANY):
        url = f"sqlite:///{tmp_path}/{scale.uploads}.db" if kind == "sqlite" else postgres.new_database()
        found.append(costs(url, scale, tmp_path / "data"))
        if not is_sqlite(url):
            postgres.give_back(url)
    few, many = found
    assert sum(few.values()) > len(few)
    grown = {
        name: (cost, many[name]) for name, cost in few.items() if many[name] > MARGIN * cost + SMALL[kind]
    }
    assert not grown


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_looking_for_few_tasks_costs_no_more_when_many_wait(
    kind: str, postgres: Postgres, tmp_path: Path
) -> None:
    found = []
    for scale in (ENDED, BACKLOG):
        file = f"sqlite:///{tmp_path}/{scale.waiting}"
        if kind == "sqlite":
            found.append(costs(f"{file}.db", scale, tmp_path, queue_url=f"{file}.queue", only=OF_BACKLOG))
        else:
            url = postgres.new_database()
            found.append(costs(url, scale, tmp_path, only=OF_BACKLOG))
            postgres.give_back(url)
    few, many = found
    assert len(few) == (3 if kind == "sqlite" else 1)
    assert {name: cost for name, cost in many.items() if cost > few[name] + SMALL[kind]} == {}
