"""A TaskQueue in memory."""

from collections.abc import Mapping, Sequence


class MemoryQueue:
    """Waiting, held and finished work, in memory."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.held: dict[str, str] = {}
        self.done: set[str] = set()

    def enqueue(self, *, work_id: str, task_id: str, engine: str) -> None:
        if work_id not in self.held and work_id not in self.done:
            self.waiting.add(work_id)

    def take(self, work_id: str, worker: str) -> None:
        self.waiting.remove(work_id)
        self.held[work_id] = worker

    def holders(self) -> set[str]:
        return set(self.held.values())

    def recover(self, worker: str) -> None:
        for work_id in [work_id for work_id, holder in self.held.items() if holder == worker]:
            del self.held[work_id]
            self.waiting.add(work_id)

    def missing(self, work: Mapping[str, str]) -> set[str]:
        return set(work) - self.waiting - set(self.held)

    def forget_ended(self, *, before: float) -> int:
        number = len(self.done)
        self.done.clear()
        return number

    def forget(self, work_ids: Sequence[str]) -> None:
        self.done -= set(work_ids)
