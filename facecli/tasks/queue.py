"""Who brings tasks to workers, whatever dies."""

from collections.abc import Sequence
from typing import Protocol


class TaskQueue(Protocol):
    """Durable work, at least once: what is enqueued runs to its end, whatever dies."""

    def enqueue(self, *, work_id: str, task_id: str) -> None:
        """Doing it twice is harmless."""
        ...

    def holders(self) -> set[str]:
        """The workers that hold work now, alive or not."""
        ...

    def recover(self, worker: str) -> None:
        """Give the work of a dead worker to the living. A false alarm is harmless."""
        ...

    def lost(self, work_ids: Sequence[str]) -> set[str]:
        """Which of these will not run: unknown, or at their end."""
        ...

    def forget(self, work_ids: Sequence[str]) -> None:
        """As if they had never been enqueued; harmless for unknown ones."""
        ...
