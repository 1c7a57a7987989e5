"""Doubles around the task feed: a repository that records queries, and changes on demand."""

import queue
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from facecli.core.errors import Unavailable
from facecli.tasks.repository import PendingWork, TaskRepository
from facecli.tasks.selection import TaskSelection, TaskState
from facecli.tasks.task import NewTask, Task, TaskFilter, TaskStatus
from facecli.tasks.transitions import Change
from facecli.uploads.quota import Admit

DEADLINE = 60.0  # seconds; when a test gives up, never how long something may take


class CountingRepository:
    """A real repository that records the feed's queries, and fails on request."""

    def __init__(self, repository: TaskRepository) -> None:
        self._repository = repository
        self.queries: list[Mapping[str, int]] = []
        self.selections: list[TaskSelection] = []
        self.meanwhile: Callable[[], object] = lambda: None  # runs once, after the next read of a selection
        self.failing = False

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        self.queries.append(revisions)
        if self.failing:
            raise Unavailable("the database is gone")
        return self._repository.newer(revisions)

    def insert(self, new: NewTask, *, task_id: str, now: float, admit: Admit | None = None) -> Task:
        return self._repository.insert(new, task_id=task_id, now=now, admit=admit)

    def with_key(self, owner: str, key: str) -> Task | None:
        return self._repository.with_key(owner, key)

    def find(self, owner: str, reference: str, *, limit: int) -> Sequence[Task]:
        return self._repository.find(owner, reference, limit=limit)

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        return self._repository.get(task_id, owner=owner)

    def listed(self, owner: str, wanted: TaskFilter, *, limit: int, before: str) -> Sequence[Task]:
        return self._repository.listed(owner, wanted, limit=limit, before=before)

    def change(self, task_id: str, change: Change, *, now: float, **more: Any) -> Task:
        return self._repository.change(task_id, change, now=now, **more)

    def pending(self) -> Sequence[PendingWork]:
        return self._repository.pending()

    def page(self, *, after: str) -> Sequence[Task]:
        return self._repository.page(after=after)

    def with_status(self, status: TaskStatus) -> Sequence[Task]:
        return self._repository.with_status(status)

    def ended(self, *, before: float, after: Task | None = None) -> Sequence[Task]:
        return self._repository.ended(before=before, after=after)

    def delete(self, task_id: str, *, revision: int) -> bool:
        return self._repository.delete(task_id, revision=revision)

    def states(self, selection: TaskSelection) -> Mapping[str, TaskState]:
        self.selections.append(selection)
        states = self._repository.states(selection)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return states

    def several(self, ids: Collection[str], *, owner: str | None) -> Sequence[Task]:
        return self._repository.several(ids, owner=owner)


class ManualChanges:
    """Changes signalled by the test; `wait` blocks until then."""

    def __init__(self) -> None:
        self.waiting = queue.Queue[None]()
        self.closed = 0
        self._signals = queue.Queue[bool]()

    def wait(self) -> bool:
        self.waiting.put(None)
        return self._signals.get(timeout=DEADLINE)

    def close(self) -> None:
        self.closed += 1

    def signal(self, changed: bool = True) -> None:
        """Signal a change, and return when the feed has handled it."""
        self._signals.put(changed)
        self.waiting.get(timeout=DEADLINE)

    def signal_without_waiting(self) -> None:
        self._signals.put(True)
