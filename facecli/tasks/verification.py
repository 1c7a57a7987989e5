"""Compares a completed task with the bytes of its result."""

from collections.abc import Callable
from dataclasses import replace

from facecli.core.damage import BlobVerifier, Damage, DamageKind
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Result, Task, TaskStatus

RESULT_LOST = "RESULT_LOST"  # the reason that such a task has failed for


class TaskVerifier:
    """`quick` compares lengths and reads no bytes."""

    def __init__(
        self, *, repository: TaskRepository, verifier: BlobVerifier, clock: Callable[[], float], quick: bool
    ) -> None:
        self._repository = repository
        self._verifier = verifier
        self._clock = clock
        self._quick = quick

    def damage(self, task: Task) -> Damage | None:
        """What is wrong with its result; None when all agrees."""
        result = task.result
        if not result or not (wrong := self._wrong(result)):
            return None
        return Damage(
            kind=DamageKind.TASK,
            id=task.id,
            problem=wrong,
            remedy="it has failed now; facecli task retry makes the result again",
            repair=lambda: self._repair(task.id, result),
        )

    def _wrong(self, result: Result) -> str:
        size = self._verifier.size(result.blob_key)
        if self._quick or size != result.size:
            self._verifier.on_bytes(result.size)
            if size is None:
                return "its result is missing"
            return "" if size == result.size else f"its result has {size} bytes instead of {result.size}"
        crc32c = self._verifier.crc32c(result.blob_key, offset=0, size=result.size)
        return "" if crc32c == result.crc32c else "the bytes of its result differ"

    def _repair(self, task_id: str, result: Result) -> None:
        """The row first: what a death leaves then is an orphan."""
        self._repository.change(task_id, result_lost, now=self._clock())
        self._verifier.blobs.delete(result.blob_key)


def result_lost(task: Task) -> Task:
    """Failed, although it had completed: no move of a task that runs, and legal for nobody else."""
    if task.status is not TaskStatus.COMPLETED:
        return task
    return replace(
        task,
        status=TaskStatus.FAILED,
        progress=0,
        frames_done=0,
        result=None,
        error_reason=RESULT_LOST,
        error_message="the server's disk has lost the result; facecli task retry makes it again",
    )
