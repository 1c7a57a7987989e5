"""Dispatch: which pending task a free worker runs next.

Theory of operation. The queue delivers one piece of work for every task, in the order in which the tasks were
created. A worker takes a delivery as leave to run one task, but not necessarily the one that it names: it
asks the rows of all tasks, which are the truth, whose turn it is. The rules, in this order:

1. Engines that fewer of the living workers run come first, so a worker with a rare device is free for what
   only it can do. After `MAX_RARE` such tasks in a row every engine has its turn, so that tasks of a common
   engine do not wait for ever where every worker has rare work, too.
2. Of the owners with pending tasks, the one with the fewest running tasks; of several, the one that has
   waited the longest since its last task was started, or since it came with its first one: so neither many
   tasks of one owner nor a stream of new owners keeps another waiting. The wait is counted in claims of all
   tasks (`turn`), not timed, because the clocks of machines differ. A task that its worker gives back, or
   loses, gives its turn back.
3. Of this owner's tasks, the one with the highest priority; of several, the oldest.

A worker keeps a delivery until the task that it names waits no more. So every pending task has a delivery of
its own that is in the queue or with a living worker, whatever ran in the meantime, and recovery need not know
of turns. A delivery of a task that has been run already runs another one, if any waits. The delivered
task comes last, also if it has ended: files of a run that was killed are removed then.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Protocol

from facecli.tasks.leases import WorkerRepository
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import TaskStatus

MAX_RARE = 3  # tasks of a rare engine that a worker runs in a row while others wait


class TaskTurns(Protocol):
    """Reads whose turn it is."""

    def next(self, engines: Collection[str]) -> str | None:
        """The id of the pending task of these engines that rules 2 and 3 choose; None if none waits."""
        ...


class Dispatch:
    """Chooses tasks for one worker, which runs these engines."""

    def __init__(
        self, turns: TaskTurns, *, tasks: TaskRepository, workers: WorkerRepository, engines: Collection[str]
    ) -> None:
        self._turns = turns
        self._tasks = tasks
        self._workers = workers
        self._engines = sorted(engines)
        self._rare = 0  # tasks of rare engines in a row

    def next(self) -> str | None:
        """The id of the task to run next; None if none waits. Another worker may take it first."""
        groups = self._by_rarity()
        for group in groups[:-1] if self._rare < MAX_RARE else ():
            if task_id := self._turns.next(group):
                self._rare += 1
                return task_id
        self._rare = 0
        return self._turns.next(self._engines)

    def waits(self, task_id: str) -> bool:
        """Whether a task is pending; TaskNotFound for one that was deleted."""
        return self._tasks.get(task_id).status is TaskStatus.PENDING

    def _by_rarity(self) -> Sequence[Sequence[str]]:
        """The engines in groups that equally many workers run, the rarest first."""
        if len(self._engines) == 1:
            return [self._engines]
        running = Counter(name for worker in self._workers.listed() for name in worker.engines)
        ordered = sorted(self._engines, key=running.__getitem__)
        return [list(group) for _, group in groupby(ordered, key=running.__getitem__)]
