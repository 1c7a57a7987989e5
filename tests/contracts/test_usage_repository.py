"""What every UsageRows counts of whom."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from facecli.metadata.database import open_database
from facecli.metadata.usage import SqlUsageRows
from facecli.tasks import task as tasks
from facecli.tasks.task import Result, TaskRows
from facecli.uploads.quota import Usage, UsageRows
from facecli.uploads.repository import UploadRows
from tests.support.builders import NEW, claim
from tests.support.upload_repository import NEW as FILE
from tests.support.upload_repository import insert, store_all

NOTHING = Usage(stored=0, unfinished=0, waiting=0)


@pytest.fixture
def usage_rows(upload_rows: UploadRows, either_database: str) -> Iterator[UsageRows]:
    engine = open_database(either_database)
    yield SqlUsageRows(engine)
    engine.dispose()


def test_who_has_nothing_uses_nothing(usage_rows: UsageRows) -> None:
    assert usage_rows.of("nobody") == NOTHING


def test_an_upload_counts_with_all_that_it_will_have(usage_rows: UsageRows, upload_rows: UploadRows) -> None:
    insert(upload_rows, FILE, "u1")
    insert(upload_rows, replace(FILE, size=None, chunk_size=2**24, total_chunks=10**6), "u2")
    insert(upload_rows, replace(FILE, owner="bob"), "u3")
    assert usage_rows.of("ann") == replace(NOTHING, stored=25 + 2**24 * 10**6, unfinished=2)
    upload_rows.delete("u2")
    assert usage_rows.of("ann") == replace(NOTHING, stored=25, unfinished=1)
    store_all(upload_rows)
    upload_rows.complete("u1", crc32c=1, size=25, blob_key="uploads/u1", now=120.0)
    assert usage_rows.of("ann") == replace(NOTHING, stored=25)


def test_a_task_counts_while_it_waits_and_then_with_its_result(
    usage_rows: UsageRows, task_rows: TaskRows
) -> None:
    task_rows.insert(NEW, task_id="t1", now=1.0)
    task_rows.insert(NEW, task_id="t2", now=1.0)
    assert usage_rows.of(NEW.owner) == replace(NOTHING, waiting=2)
    claim(task_rows)
    assert usage_rows.of(NEW.owner) == replace(NOTHING, waiting=1)
    result = Result(blob_key="outputs/t1/r1", size=2**40, crc32c=1)
    task_rows.change("t1", partial(tasks.completed, run="r1", result=result), now=2.0)
    task_rows.change("t2", tasks.cancelled, now=2.0)
    assert usage_rows.of(NEW.owner) == replace(NOTHING, stored=2**40)
    assert usage_rows.of("another") == NOTHING
