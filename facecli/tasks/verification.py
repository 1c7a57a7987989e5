"""Integrity check of completed tasks: compares each result with its recorded size and checksum."""

from dataclasses import replace

from facecli.core.damage import BlobVerifier, Damage, DamageKind
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Result, Task, TaskStatus

RESULT_LOST = "RESULT_LOST"  # error reason of a completed task whose result is damaged


class TaskVerifier:
    """Finds damaged results; `quick` compares sizes only."""

    def __init__(self, *, tasks: TaskStore, verifier: BlobVerifier, quick: bool) -> None:
        self._tasks = tasks
        self._verifier = verifier
        self._quick = quick

    def damage(self, task: Task) -> Damage | None:
        """The damage of the task's result; None if it is intact."""
        result = task.result
        if not result or not (problem := self._problem(result)):
            return None
        return Damage(
            kind=DamageKind.TASK,
            id=task.id,
            problem=problem,
            remedy="the task fails; facecli task retry makes the result again",
            repair=lambda: self._repair(task.id, result),
        )

    def _problem(self, result: Result) -> str:
        size = self._verifier.size(result.blob_key)
        if self._quick or size != result.size:
            self._verifier.on_bytes(result.size)
            if size is None:
                return "its result is missing"
            return "" if size == result.size else f"its result has {size} bytes instead of {result.size}"
        crc32c = self._verifier.crc32c(result.blob_key, offset=0, size=result.size)
        return "" if crc32c == result.crc32c else "the bytes of its result differ"

    def _repair(self, task_id: str, result: Result) -> None:
        """Change the row first, so that a crash leaves only an orphan."""
        self._tasks.change(task_id, lose_result)
        self._verifier.blobs.delete(result.blob_key)


def lose_result(task: Task) -> Task:
    """Fail a completed task: a move that only the integrity check may make."""
    if task.status is not TaskStatus.COMPLETED:
        return task
    return replace(
        task,
        status=TaskStatus.FAILED,
        progress=0,
        frames_done=0,
        result=None,
        error_reason=RESULT_LOST,
        error_message="the server's disk lost the result; facecli task retry makes it again",
    )
