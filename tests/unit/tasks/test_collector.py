"""Ended tasks go when asked to or in their time, with all that was theirs; what is not over stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.core.errors import TaskNotFound
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import task as tasks
from facecli.tasks.claims import Claim
from facecli.tasks.collector import TaskCollector
from facecli.tasks.task import Result, Task
from tests.support.builders import NEW
from tests.support.storage import EXPIRY, Storage
from tests.support.task_queue import Queue

YEAR = 365 * 86400.0


class Ended:
    """A storage with tasks that have ended, each with a result and with work that it kept."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.repository = storage.opened(SqlTaskRepository)
        self.workspace = storage.blobs.root / "work"
        self.queue = Queue()

    def collector(self, expiry: float = EXPIRY) -> TaskCollector:
        return TaskCollector(
            repository=self.repository,
            blobs=self.storage.blobs,
            forget=self.queue.forget,
            workspace=self.workspace,
            expiry=expiry,
            clock=self.storage.clock,
            monotonic=self.storage.monotonic,
        )

    def completed(self, task_id: str) -> Task:
        task = self.processing(task_id)
        self.publish(task)
        result = Result(blob_key=f"outputs/{task_id}/{task.run}", size=1, crc32c=1)
        return self.repository.change(
            task_id, lambda row: tasks.completed(row, run=task.run, result=result), now=self.storage.clock()
        )

    def processing(self, task_id: str) -> Task:
        now = self.storage.clock()
        self.repository.insert(NEW, task_id=task_id, now=now)
        self.queue.over.add(f"{task_id}.1")
        (self.workspace / task_id).mkdir(parents=True)
        return Claim(worker="w1").take(self.repository, task_id, now=now)

    def publish(self, task: Task) -> None:
        source = self.workspace / task.id / "joined.mp4"
        source.write_bytes(b"x")
        self.storage.blobs.put(f"outputs/{task.id}/{task.run}", source)

    def there(self) -> set[str]:
        """The tasks of which there are files."""
        works = {folder.name for folder in self.workspace.glob("*")}
        return works | {key.split("/")[1] for key in self.storage.blobs.list("outputs")}


@pytest.fixture
def ended(storage: Storage) -> Ended:
    return Ended(storage)


def test_a_removed_task_leaves_no_row_no_file_and_no_work_and_a_download_goes_on(ended: Ended) -> None:
    task = ended.completed("t1")
    assert task.result
    reading: Iterator[bytes] = ended.storage.blobs.open(task.result.blob_key, offset=0, block=1)
    begun = ended.storage.blobs.local_copy(task.result.blob_key).open("rb")
    assert ended.collector().remove(task)
    assert begun.read() == b"x"
    begun.close()
    reading.close()  # type: ignore[attr-defined]
    assert (ended.there(), ended.queue.over) == (set(), set())
    with pytest.raises(TaskNotFound):
        ended.repository.get("t1")


def test_a_task_that_was_retried_meanwhile_is_not_removed(ended: Ended) -> None:
    ended.processing("t1")
    cancelled = ended.repository.change("t1", tasks.cancelled, now=1.0)
    retried = ended.repository.change("t1", tasks.retried, now=2.0)
    assert not ended.collector().remove(cancelled)
    assert ended.repository.get("t1") == retried
    assert ended.there() == {"t1"}


def test_an_ended_task_goes_when_its_time_is_over_and_one_that_runs_never(ended: Ended) -> None:
    collector = ended.collector()
    ended.completed("old")
    ended.processing("runs")
    ended.storage.wait(EXPIRY - 1)
    ended.completed("new")
    ended.storage.wait(2)
    assert collector.expire() == 0, "the time has to be measured, too"
    ended.storage.wait(EXPIRY - 2)
    assert collector.expire() == 0
    ended.storage.wait(2)
    assert collector.expire() == 1
    assert ended.there() == {"new", "runs"}


def test_a_clock_that_jumps_ahead_and_back_takes_no_result(ended: Ended) -> None:
    collector = ended.collector()
    ended.completed("t1")
    ended.storage.clock.now += YEAR
    assert collector.expire() == 0
    ended.storage.clock.now -= YEAR
    ended.storage.wait(EXPIRY - 1)
    assert collector.expire() == 0
    assert ended.there() == {"t1"}


def test_an_expiry_of_0_keeps_for_ever(ended: Ended) -> None:
    collector = ended.collector(0)
    ended.completed("t1")
    for _ in range(3):
        ended.storage.wait(YEAR)
        assert collector.expire() == 0


def test_what_no_row_knows_is_swept_and_what_a_task_may_need_stays(ended: Ended) -> None:
    kept = ended.completed("completed")
    publishing = ended.processing("publishing")
    ended.publish(publishing)
    ended.processing("cancelled")
    ended.repository.change("cancelled", tasks.cancelled, now=1.0)
    (ended.workspace / "unknown").mkdir()
    source = Path(ended.workspace / "unknown" / "other")
    source.write_bytes(b"y")
    ended.storage.blobs.put("outputs/completed/otherrun", source)
    ended.collector().sweep()
    assert kept.result
    assert {path.name for path in ended.workspace.glob("*")} == {"publishing", "cancelled"}
    assert set(ended.storage.blobs.list("outputs")) == {
        kept.result.blob_key,
        f"outputs/publishing/{publishing.run}",
    }
