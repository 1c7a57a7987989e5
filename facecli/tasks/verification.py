"""Integrity check of completed tasks: compares their files with their recorded sizes and checksums."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from facecli.core.damage import BlobVerifier, Damage, DamageKind
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.tasks.transitions import Change

RESULT_LOST = "RESULT_LOST"  # error reason of a completed task whose result is damaged


class TaskVerifier:
    """Finds damaged results and contact sheets; `quick` compares sizes only."""

    def __init__(self, *, tasks: TaskStore, verifier: BlobVerifier, quick: bool) -> None:
        self._tasks = tasks
        self._verifier = verifier
        self._quick = quick

    def damage(self, task: Task) -> Damage | None:
        """The damage of the task's files, the result first; None if they are intact."""
        result, sheet = task.result, task.sheet
        if result and (problem := self._problem(result, "result")):
            return Damage(
                kind=DamageKind.TASK,
                id=task.id,
                problem=problem,
                remedy="the task fails; facecli task retry makes the result again",
                repair=lambda: self._repair(task, lose_result, task.files),
            )
        if sheet and (problem := self._problem(sheet, "contact sheet")):
            return Damage(
                kind=DamageKind.TASK,
                id=task.id,
                problem=problem,
                remedy="the task keeps its result, without a contact sheet",
                repair=lambda: self._repair(task, partial(lose_sheet, sheet=sheet), [sheet]),
            )
        return None

    def _problem(self, file: Result, noun: str) -> str:
        size = self._verifier.size(file.blob_key)
        if self._quick or size != file.size:
            self._verifier.on_bytes(file.size)
            if size is None:
                return f"its {noun} is missing"
            return "" if size == file.size else f"its {noun} has {size} bytes instead of {file.size}"
        crc32c = self._verifier.crc32c(file.blob_key, offset=0, size=file.size)
        return "" if crc32c == file.crc32c else f"the bytes of its {noun} differ"

    def _repair(self, task: Task, change: Change, lost: Iterable[Result]) -> None:
        """Change the row first, so that a crash leaves only orphans."""
        self._tasks.change(task.id, change)
        for file in lost:
            self._verifier.blobs.delete(file.blob_key)


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
        sheet=None,
        error_reason=RESULT_LOST,
        error_message="the server's disk lost the result; facecli task retry makes it again",
    )


def lose_sheet(task: Task, *, sheet: Result) -> Task:
    """Forget a damaged contact sheet."""
    return replace(task, sheet=None) if task.sheet == sheet else task
