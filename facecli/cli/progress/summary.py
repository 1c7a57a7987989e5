"""The summary of many rows in one row."""

import time
from collections import Counter
from collections.abc import Sequence

from facecli.cli.progress.amounts import bytes_text, rate_text, time_text
from facecli.cli.progress.cells import cells
from facecli.cli.progress.rate import WindowRate, seconds_left
from facecli.cli.progress.rows import Row, RowState, TransferRow

SAMPLE_INTERVAL = 1.0  # seconds between two samples of the total
_SHORT = {RowState.RUNNING: "run", RowState.WAITING: "wait", RowState.FAILED: "fail", RowState.DONE: "done"}


class Summary:
    """Counts of rows by state, the total, its rate, the time so far and the time left."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._sampled = 0.0
        self._ended: float | None = None
        self._rate = WindowRate()

    def text(self, rows: Sequence[Row], width: int) -> str:
        """The summary in at most `width` cells; the least important values are left out first."""
        count = Counter(row.state for row in rows)
        transfers = [row for row in rows if isinstance(row, TransferRow)]
        done = float(sum(row.done for row in transfers)) or sum(row.fraction for row in rows)
        self._sample(done, ended=not count[RowState.RUNNING] + count[RowState.WAITING])
        head = f"{len(rows)} {'files' if transfers else 'tasks'}:"
        order = (RowState.DONE, RowState.RUNNING, RowState.WAITING, RowState.FAILED)
        counts = [f"{count[state]} {state}" for state in order]
        short = [f"{count[state]} {_SHORT[state]}" for state in order]
        amount, rate = self._amounts(rows, transfers)
        elapsed, left = self._times(rows, transfers, done)
        candidates: tuple[tuple[str, list[str], list[str]], ...] = (
            (head, counts, [amount, rate, elapsed, left]),
            (head, counts, [amount, elapsed, left]),
            (head, counts, [amount, left]),
            (head, counts, [left]),
            ("", counts, [left]),
            ("", short, [left]),
            ("", counts, []),
            ("", short, []),
        )
        lines = [_joined(*candidate) for candidate in candidates]
        return next((line for line in lines if cells(line) <= width), lines[-1])

    def _sample(self, done: float, *, ended: bool) -> None:
        now = time.monotonic()
        if ended:
            self._ended = self._ended or now
        elif now - self._sampled >= SAMPLE_INTERVAL:
            self._sampled, self._ended = now, None
            self._rate.add(now, done)

    def _amounts(self, rows: Sequence[Row], transfers: Sequence[TransferRow]) -> tuple[str, str]:
        if not transfers:
            return f"{int(100 * sum(row.fraction for row in rows) / len(rows))}%", ""
        rate = None if self._ended else self._rate.per_second
        total = sum(max(row.total or 0, row.done) for row in transfers)
        return bytes_text(sum(row.done for row in transfers), total), rate_text(rate) if rate else ""

    def _times(self, rows: Sequence[Row], transfers: Sequence[TransferRow], done: float) -> tuple[str, str]:
        if self._ended:
            return time_text(self._ended - self._began), ""
        rest = sum(
            (max(0, (row.total or 0) - row.done) if isinstance(row, TransferRow) else 1 - row.fraction)
            for row in rows
            if row.state in {RowState.RUNNING, RowState.WAITING}
        )
        passed = time.monotonic() - self._began
        left = seconds_left(rest, per_second=self._rate.per_second, elapsed=passed)
        return f"{time_text(passed)} elapsed", "" if left is None else f"{time_text(left)} left"


def _joined(head: str, counts: Sequence[str], more: Sequence[str]) -> str:
    return " ".join(filter(None, [head, ", ".join(filter(None, [*counts, *more]))]))
