"""Ended tasks go when asked to or in their time, with all that was theirs; what is not over stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.core.errors import TaskNotFound
from facecli.metadata.tasks import SqlTaskRows
from facecli.tasks import task as tasks
from facecli.tasks.claims import Claim
from facecli.tasks.collector import TaskRemoval
from facecli.tasks.task import Result, Task
from tests.support.builders import NEW
from tests.support.storage import EXPIRY, Place
from tests.support.task_queue import Queue

YEAR = 365 * 86400.0


class Ended:
    """A place with tasks that have ended, each with a result and with work that it kept."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.rows = place.opened(SqlTaskRows)
        self.workspace = place.blobs.root / "work"
        self.queue = Queue()

    def removal(self, expiry: float = EXPIRY) -> TaskRemoval:
        return TaskRemoval(
            rows=self.rows,
            blobs=self.place.blobs,
            forget=self.queue.forget,
            workspace=self.workspace,
            expiry=expiry,
            clock=self.place.clock,
            monotonic=self.place.monotonic,
        )

    def completed(self, task_id: str) -> Task:
        task = self.processing(task_id)
        self.publish(task)
        result = Result(blob_key=f"outputs/{task_id}/{task.run}", size=1, crc32c=1)
        return self.rows.change(
            task_id, lambda row: tasks.completed(row, run=task.run, result=result), now=self.place.clock()
        )

    def processing(self, task_id: str) -> Task:
        now = self.place.clock()
        self.rows.insert(NEW, task_id=task_id, now=now)
        self.queue.over.add(f"{task_id}.1")
        (self.workspace / task_id).mkdir(parents=True)
        return Claim(worker="w1").take(self.rows, task_id, now=now)

    def publish(self, task: Task) -> None:
        source = self.workspace / task.id / "joined.mp4"
        source.write_bytes(b"x")
        self.place.blobs.put(f"outputs/{task.id}/{task.run}", source)

    def there(self) -> set[str]:
        """The tasks of which there are files."""
        works = {folder.name for folder in self.workspace.glob("*")}
        return works | {key.split("/")[1] for key in self.place.blobs.keys("outputs")}


@pytest.fixture
def ended(place: Place) -> Ended:
    return Ended(place)


def test_a_removed_task_leaves_no_row_no_file_and_no_work_and_a_download_goes_on(ended: Ended) -> None:
    task = ended.completed("t1")
    assert task.result
    reading: Iterator[bytes] = ended.place.blobs.read(task.result.blob_key, offset=0, block=1)
    begun = ended.place.blobs.path(task.result.blob_key).open("rb")
    assert ended.removal().remove(task)
    assert begun.read() == b"x"
    begun.close()
    reading.close()  # type: ignore[attr-defined]
    assert (ended.there(), ended.queue.over) == (set(), set())
    with pytest.raises(TaskNotFound):
        ended.rows.get("t1")


def test_a_task_that_was_retried_meanwhile_is_not_removed(ended: Ended) -> None:
    ended.processing("t1")
    cancelled = ended.rows.change("t1", tasks.cancelled, now=1.0)
    retried = ended.rows.change("t1", tasks.retried, now=2.0)
    assert not ended.removal().remove(cancelled)
    assert ended.rows.get("t1") == retried
    assert ended.there() == {"t1"}


def test_an_ended_task_goes_when_its_time_is_over_and_one_that_runs_never(ended: Ended) -> None:
    removal = ended.removal()
    ended.completed("old")
    ended.processing("runs")
    ended.place.wait(EXPIRY - 1)
    ended.completed("new")
    ended.place.wait(2)
    assert removal.expire() == 0, "the time has to be measured, too"
    ended.place.wait(EXPIRY - 2)
    assert removal.expire() == 0
    ended.place.wait(2)
    assert removal.expire() == 1
    assert ended.there() == {"new", "runs"}


def test_a_clock_that_jumps_ahead_and_back_takes_no_result(ended: Ended) -> None:
    removal = ended.removal()
    ended.completed("t1")
    ended.place.clock.now += YEAR
    assert removal.expire() == 0
    ended.place.clock.now -= YEAR
    ended.place.wait(EXPIRY - 1)
    assert removal.expire() == 0
    assert ended.there() == {"t1"}


def test_an_expiry_of_0_keeps_for_ever(ended: Ended) -> None:
    removal = ended.removal(0)
    ended.completed("t1")
    for _ in range(3):
        ended.place.wait(YEAR)
        assert removal.expire() == 0


def test_what_no_row_knows_is_swept_and_what_a_task_may_need_stays(ended: Ended) -> None:
    kept = ended.completed("completed")
    publishing = ended.processing("publishing")
    ended.publish(publishing)
    ended.processing("cancelled")
    ended.rows.change("cancelled", tasks.cancelled, now=1.0)
    (ended.workspace / "unknown").mkdir()
    source = Path(ended.workspace / "unknown" / "other")
    source.write_bytes(b"y")
    ended.place.blobs.put("outputs/completed/otherrun", source)
    ended.removal().sweep()
    assert kept.result
    assert {path.name for path in ended.workspace.glob("*")} == {"publishing", "cancelled"}
    assert set(ended.place.blobs.keys("outputs")) == {
        kept.result.blob_key,
        f"outputs/publishing/{publishing.run}",
    }
