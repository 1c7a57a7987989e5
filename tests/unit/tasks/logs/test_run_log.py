"""RunLog: bounded in memory, stored in few transactions, and harmless when the database fails."""

import threading
from collections.abc import Sequence

import pytest

from facecli.core.errors import DiskFull, FacecliError, InvalidInput, StorageFailed, TakenOver, Unavailable
from facecli.tasks.logs.record import MAX_LEVEL, MAX_LOGGER, MAX_RECORDS, MAX_TEXT, LogEntry
from facecli.tasks.logs.run_log import FLUSH_INTERVAL, RunLog
from tests.support.storage import Clock
from tests.support.tasks.logs import MemoryTaskLogs


@pytest.fixture
def logs() -> MemoryTaskLogs:
    return MemoryTaskLogs()


@pytest.fixture
def log(logs: MemoryTaskLogs, monotonic: Clock) -> RunLog:
    return RunLog(logs, "t1", run="r1", directory="/srv/my data", clock=lambda: 5.0, monotonic=monotonic)


def add(log: RunLog, *texts: object) -> None:
    for text in texts:
        log.add(level="INFO", logger="engine", text=str(text))


def test_a_record_is_one_printable_line_of_a_bounded_size(log: RunLog, logs: MemoryTaskLogs) -> None:
    log.add(level="L\x1b" * 90, logger="e\n" * 900, text="a\r\n\x1b[2J\u202e\x00\ud800" * MAX_TEXT)
    log.flush()
    (entry,) = logs.entries
    assert (len(entry.level), len(entry.logger), len(entry.text)) == (MAX_LEVEL, MAX_LOGGER, MAX_TEXT)
    assert (entry.level + entry.logger + entry.text).isprintable()
    assert entry.text.startswith(r"a\r\n\x1b[2J\u202e\x00\ud800a\r")
    assert entry.time == 5.0


def test_paths_and_secrets_are_left_out(log: RunLog, logs: MemoryTaskLogs) -> None:
    add(log, "reads /srv/my data/uploads/u1/clip.mp4 with token=abc")
    log.flush()
    assert logs.texts == ["reads …/clip.mp4 with token=***"]


def test_records_are_stored_at_most_once_per_interval(
    log: RunLog, logs: MemoryTaskLogs, monotonic: Clock
) -> None:
    add(log, 1)
    log.flush_if_due()
    assert logs.batches == []
    monotonic.now += FLUSH_INTERVAL
    add(log, 2)
    log.flush_if_due()
    add(log, 3)
    log.flush_if_due()
    assert [len(batch) for batch in logs.batches] == [2]
    log.flush()
    log.flush()
    assert logs.texts == ["1", "2", "3"]
    assert len(logs.batches) == 2


def test_memory_holds_the_newest_records_and_counts_the_others(log: RunLog, logs: MemoryTaskLogs) -> None:
    add(log, *range(MAX_RECORDS + 7))
    log.flush()
    assert logs.texts == [str(number) for number in range(7, MAX_RECORDS + 7)]
    assert logs.dropped == 7


@pytest.mark.parametrize("error", [Unavailable("away"), StorageFailed("broken"), DiskFull("full")])
def test_records_wait_for_a_database_that_is_away_or_full(
    log: RunLog, logs: MemoryTaskLogs, error: FacecliError
) -> None:
    logs.failures = [error, error]
    add(log, *range(MAX_RECORDS))
    log.flush()
    add(log, "x")
    log.flush()
    log.flush()
    assert logs.texts == [*(str(number) for number in range(1, MAX_RECORDS)), "x"]
    assert logs.dropped == 1


@pytest.mark.parametrize("error", [TakenOver("lost"), InvalidInput("cannot store this value")])
def test_records_that_the_database_refuses_are_dropped_and_counted(
    log: RunLog, logs: MemoryTaskLogs, error: FacecliError
) -> None:
    logs.failures = [error]
    add(log, 1, 2)
    log.flush()
    add(log, 3)
    log.flush()
    assert (logs.texts, logs.dropped) == (["3"], 2)


def test_a_slow_database_blocks_neither_records_nor_reports(monotonic: Clock) -> None:
    storing, finish = threading.Event(), threading.Event()

    class Slow(MemoryTaskLogs):
        def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
            storing.set()
            assert finish.wait(30)
            super().append(task_id, entries, run=run, dropped=dropped)

    logs = Slow()
    log = RunLog(logs, "t1", run="r1", monotonic=monotonic)
    add(log, 1)
    thread = threading.Thread(target=log.flush)
    thread.start()
    assert storing.wait(30)
    monotonic.now += FLUSH_INTERVAL
    add(log, 2)
    log.flush_if_due()  # another thread stores
    assert logs.batches == []
    finish.set()
    thread.join()
    log.flush()
    assert logs.texts == ["1", "2"]
