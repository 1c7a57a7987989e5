"""The changes of several tasks that one client has to be told.

Theory of operation. What a client knows is a revision for each task, and a snapshot says which tasks exist,
at which revisions; the difference is what to tell. A task is read only when it is about to be sent. So
changes that are superseded meanwhile are skipped, and a client that reads slowly costs an ID and a revision
for each task, however many changes it has missed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from facecli.core.errors import InvalidInput, TaskNotFound
from facecli.tasks.selection import TaskSelection, TaskSnapshot
from facecli.tasks.task import Task

MAX_NAMED = 10_000  # tasks that a client can name
BATCH = 100  # tasks in one message


class ReadTasks(Protocol):
    def __call__(self, ids: Collection[str], *, owner: str) -> Sequence[Task]:
        """The tasks of this owner with these IDs; without those that do not exist."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUpdate:
    """A message to the client; `up_to_date` if it tells all there is, `last` if nothing will follow."""

    tasks: Sequence[Task]
    deleted: Sequence[str]
    up_to_date: bool
    last: bool

    @property
    def empty(self) -> bool:
        return not (self.tasks or self.deleted)


class TaskChanges:
    """Follows the tasks of an owner that a client names, and `all` others, too.

    `revisions` are those that the client knows of the tasks it names, 0 for none; `read` reads tasks.
    InvalidInput if it names too many.
    """

    def __init__(self, revisions: Mapping[str, int], *, owner: str, all: bool, read: ReadTasks) -> None:
        if len(revisions) > MAX_NAMED:
            raise InvalidInput(f"one call watches at most {MAX_NAMED} named tasks, not {len(revisions)}")
        self.selection = TaskSelection(owner=owner, ids=frozenset(revisions), all=all)
        self._known = dict(revisions)
        self._read = read

    def check(self, snapshot: TaskSnapshot) -> None:
        """TaskNotFound for a task that the client does not know and that does not exist."""
        for task_id, revision in self._known.items():
            if revision == 0 and task_id not in snapshot.states:
                raise TaskNotFound(f"there is no task {task_id}")

    def next(self, snapshot: TaskSnapshot) -> TaskUpdate:
        """The next message about this snapshot; from now on the client knows what it says."""
        due = list(islice(self._due(snapshot), BATCH + 1))
        found = self._found(due[:BATCH], snapshot)
        tasks, deleted = list[Task](), list[str]()
        for task_id in due[:BATCH]:
            task, state = found.get(task_id), snapshot.states.get(task_id)
            known = self._known.pop(task_id, 0)
            if task and task.revision > known:
                tasks.append(task)
            if state:  # otherwise it is deleted, or no longer among the newest
                self._known[task_id] = task.revision if task else state.revision
            elif not task:
                deleted.append(task_id)
        up_to_date = len(due) <= BATCH
        last = up_to_date and not self.selection.all and self._all_ended(snapshot)
        return TaskUpdate(tasks=tasks, deleted=deleted, up_to_date=up_to_date, last=last)

    def _due(self, snapshot: TaskSnapshot) -> Iterator[str]:
        """The IDs of tasks about which the client may have something to learn."""
        for task_id, state in snapshot.states.items():
            if state.revision > self._known.get(task_id, 0):
                yield task_id
        for task_id in self._known:
            if task_id not in snapshot.states:
                yield task_id

    def _found(self, ids: Collection[str], snapshot: TaskSnapshot) -> Mapping[str, Task]:
        shared = {task_id: snapshot.tasks[task_id] for task_id in ids if task_id in snapshot.tasks}
        missing = [task_id for task_id in ids if task_id not in shared]
        read = self._read(missing, owner=self.selection.owner) if missing else ()
        return shared | {task.id: task for task in read}

    def _all_ended(self, snapshot: TaskSnapshot) -> bool:
        return all(snapshot.states[task_id].ended for task_id in self._known)
