"""Integrity check of results: a damaged one fails its task, which can be retried."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from facecli.core.damage import BlobVerifier, Damage
from facecli.tasks import transitions
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.tasks.verification import RESULT_LOST, TaskVerifier
from tests.support.storage import Storage
from tests.unit.tasks.test_collector import Ended

RESULT = b"the result"


@pytest.fixture
def ended(storage: Storage) -> Ended:
    return Ended(storage)


@pytest.fixture
def task(ended: Ended) -> Task:
    """A completed task with its result on the disk."""
    running = ended.processing("t1")
    key = f"outputs/t1/{running.run}"
    source = ended.workspace / "t1" / "joined.mp4"
    source.write_bytes(RESULT)
    ended.storage.blobs.put(key, source)
    result = Result(blob_key=key, size=len(RESULT), crc32c=crc32c(RESULT))
    return ended.repository.change(
        "t1", lambda row: transitions.complete(row, run=running.run, result=result), now=2.0
    )


def damage(ended: Ended, *, quick: bool = False) -> Damage | None:
    verifier = BlobVerifier(ended.storage.blobs, on_bytes=lambda size: None)
    check = TaskVerifier(tasks=ended.tasks, verifier=verifier, quick=quick)
    return check.damage(ended.repository.get("t1"))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda path: path.write_bytes(b"The result"), "the bytes of its result differ"),
        (lambda path: path.write_bytes(b"the res"), "its result has 7 bytes instead of 10"),
        (lambda path: path.write_bytes(RESULT + b"s"), "its result has 11 bytes instead of 10"),
        (Path.unlink, "its result is missing"),
    ],
    ids=["flipped", "shorter", "longer", "missing"],
)
def test_a_damaged_result_is_found_and_its_task_can_be_retried(
    ended: Ended, task: Task, harm: Callable[[Path], object], problem: str
) -> None:
    assert task.result
    assert damage(ended) is None
    harm(ended.storage.blobs.path(task.result.blob_key))
    found = damage(ended)
    assert found and found.problem == problem and found.repair
    found.repair()
    failed = ended.repository.get("t1")
    assert (failed.status, failed.result, failed.progress) == (TaskStatus.FAILED, None, 0)
    assert (failed.error_reason, failed.revision) == (RESULT_LOST, task.revision + 1)
    assert "facecli task retry" in failed.error_message
    assert ended.storage.blobs.list("outputs") == []
    assert damage(ended) is None
    retried = ended.repository.change("t1", transitions.retry, now=3.0)
    found.repair()
    assert ended.repository.get("t1") == retried, "a retried task must stay as it is"
    assert retried == replace(retried, status=TaskStatus.PENDING, round=task.round + 1, error_reason="")


def test_a_quick_check_compares_sizes_only(ended: Ended, task: Task) -> None:
    assert task.result
    path = ended.storage.blobs.path(task.result.blob_key)
    path.write_bytes(b"The result")
    assert damage(ended, quick=True) is None
    path.write_bytes(b"")
    assert damage(ended, quick=True)


def test_a_damaged_contact_sheet_is_dropped_and_the_result_stays(ended: Ended) -> None:
    task = ended.completed("t1")
    assert task.result and task.sheet
    blobs = ended.storage.blobs
    ended.repository.change("t1", partial(with_checksum, crc32c=crc32c(b"x")), now=3.0)
    assert damage(ended) is None
    blobs.path(task.sheet.blob_key).write_bytes(b"y")
    found = damage(ended)
    assert found and found.problem == "the bytes of its contact sheet differ" and found.repair
    found.repair()
    kept = ended.repository.get("t1")
    assert (kept.status, kept.sheet, kept.preview_url) == (TaskStatus.COMPLETED, None, "")
    assert blobs.list("outputs") == [task.result.blob_key]
    assert damage(ended) is None


def with_checksum(task: Task, *, crc32c: int) -> Task:
    assert task.result and task.sheet
    result, sheet = (replace(file, crc32c=crc32c) for file in task.files)
    return replace(task, result=result, sheet=sheet)
