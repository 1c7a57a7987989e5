"""TaskQueue: the durable queue between the server and its workers."""

from collections.abc import Sequence
from typing import Protocol


class TaskQueue(Protocol):
    """Delivers work at least once: enqueued work runs to its end despite crashes."""

    def enqueue(self, *, work_id: str, task_id: str) -> None:
        """Enqueue a task; idempotent per work id."""
        ...

    def holders(self) -> set[str]:
        """The ids of all workers that hold work, alive or not."""
        ...

    def recover(self, worker: str) -> None:
        """Requeue the work of a dead worker; work now held by another worker is not touched."""
        ...

    def missing(self, work_ids: Sequence[str]) -> set[str]:
        """The given ids whose work will not run: unknown or finished."""
        ...

    def forget(self, work_ids: Sequence[str]) -> None:
        """Delete work, so that its id can be enqueued again; harmless for unknown ids."""
        ...
