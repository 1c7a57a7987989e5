"""TaskRepository: stored tasks, unique per idempotency key."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from facecli.tasks.selection import TaskSelection, TaskState
from facecli.tasks.task import NewTask, Task, TaskFilter, TaskStatus
from facecli.tasks.transitions import Change
from facecli.uploads.quota import Admit


class PendingWork(NamedTuple):
    """The work of a pending task, as the queue knows it."""

    task_id: str
    round: int
    engine: str

    @property
    def work_id(self) -> str:
        """The queue's id for this round, as `Task.work_id`."""
        return f"{self.task_id}.{self.round}"


class TaskRepository(Protocol):
    """Stores tasks. Every change is durable when the call returns."""

    def insert(self, new: NewTask, *, task_id: str, now: float, admit: Admit | None = None) -> Task:
        """Store a new task; return the existing one if this owner and idempotency key have one.

        The caller compares the two. With `new.fresh` an ended task loses its key to the new one.
        AlreadyExists when the id is taken. `admit` gets the usage of the owner, to which nobody can add
        before the task is stored, and may refuse it.
        """
        ...

    def with_key(self, owner: str, key: str) -> Task | None:
        """The task with this idempotency key."""
        ...

    def find(self, owner: str, reference: str, *, limit: int) -> Sequence[Task]:
        """Tasks whose id begins with the reference, and the one with this idempotency key; newest first."""
        ...

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        """TaskNotFound for an unknown id and for another owner's alike: same message, same work."""
        ...

    def listed(self, owner: str, wanted: TaskFilter, *, limit: int, before: str) -> Sequence[Task]:
        """A page of tasks, newest first. `before` is the last id of the previous page, or empty.

        InvalidInput when `before` is not a task of this owner.
        """
        ...

    def change(
        self,
        task_id: str,
        change: Change,
        *,
        now: float,
        max_stored: int = 0,
        record: str = "",
        admit: Admit | None = None,
    ) -> Task:
        """QuotaReached if a result would take its owner beyond `max_stored` bytes; 0 for no limit.

        Read, change and write atomically, at the next revision; no write when nothing changed.

        `change` is called again with the newer task if another change came in between. A provenance `record`
        is appended to the chain of records in the same transaction. `admit` as in `insert`.
        """
        ...

    def pending(self) -> Sequence[PendingWork]:
        """The work of all pending tasks, of which there may be very many."""
        ...

    def page(self, *, after: str) -> Sequence[Task]:
        """A page of the tasks of all owners, in the order of their ids, behind an id."""
        ...

    def with_status(self, status: TaskStatus) -> Sequence[Task]:
        """All tasks of a status, oldest first."""
        ...

    def ended(self, *, before: float, after: Task | None = None) -> Sequence[Task]:
        """A page of the tasks that ended before a time, oldest first; the next page is the one `after`."""
        ...

    def delete(self, task_id: str, *, revision: int) -> bool:
        """Delete an ended task; False when it is missing, has not ended, or has another revision."""
        ...

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        """The given tasks that have a higher revision than given."""
        ...

    def states(self, selection: TaskSelection) -> Mapping[str, TaskState]:
        """The states of the existing tasks of a selection, by id; the newest first, the named ones last."""
        ...

    def several(self, ids: Collection[str], *, owner: str | None) -> Sequence[Task]:
        """The tasks of this owner with these ids, None for any; without those that do not exist."""
        ...
