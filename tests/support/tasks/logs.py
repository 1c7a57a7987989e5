"""A TaskLogRepository in memory, which fails when told to."""

from collections.abc import Sequence

from facecli.core.errors import FacecliError
from facecli.tasks.logs.record import LogEntry, TaskLog, TaskLogRecord


class MemoryTaskLogs:
    """The entries of one task, the batches in which they came, and the number of dropped ones."""

    def __init__(self) -> None:
        self.batches: list[Sequence[LogEntry]] = []
        self.dropped = 0
        self.failures: list[FacecliError] = []  # one for each of the next calls

    @property
    def entries(self) -> list[LogEntry]:
        return [entry for batch in self.batches for entry in batch]

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.entries]

    def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(entries)
        self.dropped += dropped

    def read(self, task_id: str) -> TaskLog:
        records = [
            TaskLogRecord(
                time=entry.time, level=entry.level, logger=entry.logger, text=entry.text, round=1, attempt=1
            )
            for entry in self.entries
        ]
        return TaskLog(records=records, dropped=self.dropped)
