"""TaskQueue: the durable queue between the server and its workers."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class TaskQueue(Protocol):
    """Delivers work at least once: enqueued work runs to its end despite crashes.

    Only workers that run the engine of a task get its work.
    """

    def enqueue(self, *, work_id: str, task_id: str, engine: str) -> None:
        """Enqueue a task; idempotent per work id."""
        ...

    def holders(self) -> set[str]:
        """The ids of all workers that hold work, alive or not."""
        ...

    def recover(self, worker: str) -> None:
        """Requeue the work of a dead worker; work now held by another worker is not touched."""
        ...

    def missing(self, work: Mapping[str, str]) -> set[str]:
        """The given work, ids with engines, that will not run: unknown, finished, or not for this engine."""
        ...

    def forget_ended(self, *, before: float) -> int:
        """Delete the work that ended before a time, in seconds since 1970, and return its number.

        It counts as `missing` before and afterwards, and nothing else reads it.
        """
        ...

    def forget(self, work_ids: Sequence[str]) -> None:
        """Delete work, so that its id can be enqueued again; harmless for unknown ids."""
        ...
