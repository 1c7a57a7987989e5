"""What every TaskRows lists of what is asked for."""

from dataclasses import replace

import pytest

from facecli.core import tasks
from facecli.core.task_filter import TaskFilter
from facecli.core.tasks import TaskRows
from tests.contracts.test_task_rows import NEW


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TaskFilter(engine="other"), ["t3", "t1"]),
        (TaskFilter(engine="none"), []),
        (TaskFilter(since=102.0), ["t3", "t2"]),
        (TaskFilter(until=102.0), ["t1", "t0"]),
        (TaskFilter(since=101.0, until=103.0), ["t2", "t1"]),
        (TaskFilter(since=101.0, until=103.0, engine="other"), ["t1"]),
        (TaskFilter(since=101.0, status="cancelled"), ["t2"]),
    ],
)
def test_a_page_can_be_of_one_engine_and_of_a_span_of_time(
    task_rows: TaskRows, wanted: TaskFilter, found: list[str]
) -> None:
    for number in range(4):
        new = replace(NEW, engine="other") if number % 2 else NEW
        task_rows.insert(new, task_id=f"t{number}", now=100.0 + number)
    task_rows.change("t2", tasks.cancelled, now=200.0)
    assert [task.id for task in task_rows.listed("ann", wanted, limit=9, before="")] == found
