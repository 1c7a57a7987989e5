"""The contract of every UsageRepository."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import QuotaReached
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Result
from facecli.uploads.quota import Quota, Usage, UsageRepository, UserLimits
from facecli.uploads.repository import UploadRepository
from tests.support.builders import NEW, claim
from tests.support.upload_repository import NEW as FILE
from tests.support.upload_repository import insert, store_all

UNUSED = Usage(stored=0, unfinished=0, waiting=0)


@pytest.fixture
def usage_repository(upload_repository: UploadRepository, either_database: str) -> Iterator[UsageRepository]:
    engine = open_database(either_database)
    yield SqlUsageRepository(engine)
    engine.dispose()


def test_a_new_user_has_no_usage(usage_repository: UsageRepository) -> None:
    assert usage_repository.of("zoe") == UNUSED


def test_an_upload_counts_with_its_announced_size(
    usage_repository: UsageRepository, upload_repository: UploadRepository
) -> None:
    insert(upload_repository, FILE, "u1")
    insert(upload_repository, replace(FILE, size=None, chunk_size=2**24, total_chunks=10**6), "u2")
    insert(upload_repository, replace(FILE, owner="bob"), "u3")
    assert usage_repository.of("ann") == replace(UNUSED, stored=25 + 2**24 * 10**6, unfinished=2)
    upload_repository.delete("u2")
    assert usage_repository.of("ann") == replace(UNUSED, stored=25, unfinished=1)
    store_all(upload_repository)
    upload_repository.complete("u1", crc32c=1, size=25, now=120.0)
    assert usage_repository.of("ann") == replace(UNUSED, stored=25)


def test_a_waiting_task_counts_and_later_its_result(
    usage_repository: UsageRepository, task_repository: TaskRepository
) -> None:
    task_repository.insert(NEW, task_id="t1", now=1.0)
    task_repository.insert(NEW, task_id="t2", now=1.0)
    assert usage_repository.of(NEW.owner) == replace(UNUSED, waiting=2)
    claim(task_repository)
    assert usage_repository.of(NEW.owner) == replace(UNUSED, waiting=1)
    result = Result(blob_key="outputs/t1/r1", size=2**40, crc32c=1)
    sheet = Result(blob_key="outputs/t1/r1.sheet", size=7, crc32c=1)
    task_repository.change("t1", partial(transitions.complete, run="r1", result=result, sheet=sheet), now=2.0)
    task_repository.change("t2", transitions.cancel, now=2.0)
    assert usage_repository.of(NEW.owner) == replace(UNUSED, stored=2**40 + 7)
    assert usage_repository.of("another") == UNUSED


def test_tasks_of_two_servers_are_admitted_up_to_the_limit(
    task_repository: TaskRepository, usage_repository: UsageRepository, either_database: str
) -> None:
    engine = open_database(either_database)
    servers = [
        (each, Quota(usage_repository, UserLimits(waiting=4)))
        for each in (task_repository, SqlTaskRepository(engine))
    ]
    for number in range(20):
        task_repository.insert(NEW, task_id=f"old{number}", now=1.0)
        task_repository.change(f"old{number}", transitions.cancel, now=1.0)

    def waits(number: int) -> bool:
        repository, quota = servers[number % 2]
        try:
            with quota.task() as admit:
                if number % 4 < 2:
                    repository.insert(NEW, task_id=f"new{number}", now=2.0, admit=admit)
                else:
                    repository.change(f"old{number}", transitions.retry, now=2.0, admit=admit)
        except QuotaReached as error:
            assert "already has 4 waiting tasks" in error.message
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(waits, range(20))) == 4
    assert usage_repository.of(NEW.owner).waiting == 4
    engine.dispose()


def test_results_published_at_the_same_time_stay_within_the_quota(
    usage_repository: UsageRepository, task_repository: TaskRepository
) -> None:
    for number in range(8):
        task_repository.insert(NEW, task_id=f"t{number}", now=1.0)
        claim(task_repository, task_id=f"t{number}")
    result = Result(blob_key="outputs/t/r1", size=7, crc32c=1)
    sheet = Result(blob_key="outputs/t/r1.sheet", size=3, crc32c=1)
    complete = partial(transitions.complete, run="r1", result=result, sheet=sheet)

    def publish(number: int) -> bool:
        try:
            task_repository.change(f"t{number}", complete, now=2.0, max_stored=35)
        except QuotaReached as error:
            assert "the result has 10 bytes" in error.message
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        published = sum(pool.map(publish, range(8)))
    assert published == 3
    assert usage_repository.of(NEW.owner).stored == 30
