"""Garbage collection of tasks: deletion, expiry and orphans."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.core.errors import TaskNotFound
from facecli.core.events import EventBus
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.claims import Claim
from facecli.tasks.collector import Retention, TaskCollector
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Result, Task
from tests.support.builders import NEW
from tests.support.storage import EXPIRY, Storage, any_age
from tests.support.task_queue import MemoryQueue

YEAR = 365 * 86400.0


class Ended:
    """A storage with ended tasks, their results and their checkpoints."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.repository = storage.opened(SqlTaskRepository)
        self.tasks = TaskStore(self.repository, clock=storage.clock, events=EventBus())
        self.workspace = storage.blobs.root / "work"
        self.queue = MemoryQueue()

    def collector(self, expiry: float = EXPIRY) -> TaskCollector:
        return TaskCollector(
            tasks=self.tasks,
            blobs=self.storage.blobs,
            forget=self.queue.forget,
            workspace=self.workspace,
            retention=Retention(expiry=expiry, clock=self.storage.clock, monotonic=self.storage.monotonic),
            orphan_policy=any_age(self.storage.clock),
        )

    def completed(self, task_id: str) -> Task:
        task = self.processing(task_id)
        self.publish(task)
        result, sheet = (Result(blob_key=key, size=1, crc32c=1) for key in keys_of(task))
        return self.repository.change(
            task_id,
            lambda row: transitions.complete(row, run=task.run, result=result, sheet=sheet),
            now=self.storage.clock(),
        )

    def processing(self, task_id: str) -> Task:
        now = self.storage.clock()
        self.repository.insert(NEW, task_id=task_id, now=now)
        self.queue.done.add(f"{task_id}.1")
        (self.workspace / task_id).mkdir(parents=True)
        return Claim(worker="w1").take(self.tasks, task_id)

    def publish(self, task: Task) -> None:
        source = self.workspace / task.id / "joined.mp4"
        for key in keys_of(task):
            source.write_bytes(b"x")
            self.storage.blobs.put(key, source)

    def remaining(self) -> set[str]:
        """The ids of the tasks that still have files."""
        works = {folder.name for folder in self.workspace.glob("*")}
        return works | {key.split("/")[1] for key in self.storage.blobs.list("outputs")}


def keys_of(task: Task, *, run: str = "") -> tuple[str, str]:
    """Keys of the result and its contact sheet."""
    key = f"outputs/{task.id}/{run or task.run}"
    return key, f"{key}.sheet"


@pytest.fixture
def ended(storage: Storage) -> Ended:
    return Ended(storage)


def test_removing_a_task_deletes_everything_but_a_running_download(ended: Ended) -> None:
    task = ended.completed("t1")
    assert task.result
    reading: Iterator[bytes] = ended.storage.blobs.open(task.result.blob_key, offset=0, block=1)
    begun = ended.storage.blobs.path(task.result.blob_key).open("rb")
    assert ended.collector().remove(task, cause="requested")
    assert begun.read() == b"x"
    begun.close()
    reading.close()  # type: ignore[attr-defined]
    assert (ended.remaining(), ended.queue.done) == (set(), set())
    with pytest.raises(TaskNotFound):
        ended.repository.get("t1")


def test_a_task_retried_meanwhile_is_not_removed(ended: Ended) -> None:
    ended.processing("t1")
    cancelled = ended.repository.change("t1", transitions.cancel, now=1.0)
    retried = ended.repository.change("t1", transitions.retry, now=2.0)
    assert not ended.collector().remove(cancelled, cause="requested")
    assert ended.repository.get("t1") == retried
    assert ended.remaining() == {"t1"}


def test_ended_tasks_expire_and_running_ones_never_do(ended: Ended) -> None:
    collector = ended.collector()
    ended.completed("old")
    ended.processing("runs")
    ended.storage.wait(EXPIRY - 1)
    ended.completed("new")
    ended.storage.wait(2)
    assert collector.expire() == 0, "the monotonic clock has to agree"
    ended.storage.wait(EXPIRY - 2)
    assert collector.expire() == 0
    ended.storage.wait(2)
    assert collector.expire() == 1
    assert ended.remaining() == {"new", "runs"}


def test_a_wall_clock_jump_expires_nothing(ended: Ended) -> None:
    collector = ended.collector()
    ended.completed("t1")
    ended.storage.clock.now += YEAR
    assert collector.expire() == 0
    ended.storage.clock.now -= YEAR
    ended.storage.wait(EXPIRY - 1)
    assert collector.expire() == 0
    assert ended.remaining() == {"t1"}


def test_an_expiry_of_0_keeps_tasks_for_ever(ended: Ended) -> None:
    collector = ended.collector(0)
    ended.completed("t1")
    for _ in range(3):
        ended.storage.wait(YEAR)
        assert collector.expire() == 0


def test_orphans_are_swept_and_files_a_task_may_need_stay(ended: Ended) -> None:
    completed = ended.completed("completed")
    publishing = ended.processing("publishing")
    ended.publish(publishing)
    ended.processing("cancelled")
    ended.repository.change("cancelled", transitions.cancel, now=1.0)
    (ended.workspace / "unknown").mkdir()
    source = Path(ended.workspace / "unknown" / "other")
    source.write_bytes(b"y")
    ended.storage.blobs.put("outputs/completed/otherrun", source)
    ended.collector().sweep()
    assert completed.result
    assert {path.name for path in ended.workspace.glob("*")} == {"publishing", "cancelled"}
    assert set(ended.storage.blobs.list("outputs")) == {
        *keys_of(completed, run=completed.result.blob_key.rsplit("/", 1)[-1]),
        *keys_of(publishing),
    }


@pytest.mark.parametrize("name", ["work/link", "outputs/link", "outputs/t1/link"])
def test_an_orphaned_link_is_removed_and_its_target_stays(ended: Ended, name: str) -> None:
    outside = ended.storage.blobs.root.parent / "outside"
    outside.mkdir()
    (outside / "data").write_bytes(b"precious")
    link = ended.storage.blobs.root / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    assert ended.collector().sweep() == 1
    assert not link.is_symlink()
    assert (outside / "data").read_bytes() == b"precious"
