"""Progress as plain lines for logs and terminals that cannot redraw, drawn by tqdm."""

import os
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from tqdm import tqdm

from facecli.cli.progress.amounts import bytes_text, rate_text
from facecli.cli.progress.bar import BatchBar, TaskBar, TransferBar
from facecli.cli.progress.cells import cut_middle, displayable
from facecli.cli.progress.frame_rate import FrameRate, attempt_text
from facecli.cli.progress.rate import seconds_left
from facecli.cli.progress.rows import BatchProgress
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import Stderr
from facecli.core.progress import NullProgress
from facecli.tasks.view import TaskView

FIRST_INTERVAL = 2.0  # seconds between two lines of a transfer; doubles with every line
LAST_INTERVAL = 32.0  # seconds
WIDTH = 100  # columns of a log
NARROW, WIDE = 60, 80  # columns from which a line has a bar, and has times and a rate


@contextmanager
def tqdm_bars() -> Iterator["TqdmBars"]:
    """On exit every bar has written its last line, so nothing follows later output."""
    with ExitStack() as ends:
        yield TqdmBars(ends)


class TqdmBars:
    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends

    def transfer(self, name: str = "", total: int | None = None) -> TransferBar:
        transfer = _TqdmTransfer()
        self._ends.callback(transfer.close)
        return SafeProgress(transfer)

    def task(self, task_id: str = "") -> TaskBar:
        return _TaskLines()

    def batch(self) -> BatchBar:
        return _BatchLines()


class _BatchLines:
    """One line per ten percent of a batch."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._last = 0

    def __call__(self, progress: BatchProgress) -> None:
        tenth = int(progress.share * 10)
        if tenth != self._last:
            self._last = tenth
            self._lines.write(f"{tenth * 10}%  {progress.text}")


class _TaskLines:
    """One line per status, stage, attempt and ten percent of progress."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._rate = FrameRate()
        self._last: tuple[object, ...] = ()

    def __call__(self, task: TaskView) -> None:
        if self._rate.update(task):
            self._lines.write(attempt_text(task))
        tenth = task.progress // 10
        now = (task.status, task.stage, task.round, task.attempt, tenth)
        if now != self._last:
            self._last = now
            texts = [task.status, f"{tenth * 10}%", task.stage, *self._rate.text.split("  ")]
            self._lines.write(_fitting(task.id, [text for text in texts if text], self._lines.width))

    def failed(self) -> None:
        """Ignored: the error is a line of its own."""


def _fitting(task_id: str, texts: Sequence[str], width: int) -> str:
    """A line of at most `width` cells: the ID becomes short, then the last texts are left out."""
    line = "  ".join([task_id, *texts])
    if len(line) <= width:
        return line
    for end in range(len(texts), 0, -1):
        line = "  ".join([task_id[:8], *texts[:end]])
        if len(line) <= width:
            return line
    return line


class _Bar(tqdm):  # type: ignore[type-arg]  # generic in its stub only
    """Bar with amounts in the units of the rows on a terminal."""

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        values = super().format_dict
        sent, elapsed = values["n"] - values["initial"], values["elapsed"]
        rate = sent / elapsed if sent and elapsed else None
        speed = f", {rate_text(rate)}" if rate else ""
        total = values["total"]
        left = seconds_left(total - values["n"], per_second=rate, elapsed=elapsed) if total else None
        more = "" if left is None else f"<{self.format_interval(left)}"
        return {**values, "amount": bytes_text(values["n"], total), "speed": speed, "left": more}


class _TqdmTransfer(NullProgress):
    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._lines = _Lines()

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self.close()
        width = self._lines.width
        self._bar = _Bar(
            desc=cut_middle(
                displayable(name, ascii_only=self._lines.ascii_only), _name_width(width), ellipsis="~"
            ),
            total=total,
            initial=stored,
            mininterval=FIRST_INTERVAL,
            miniters=1,
            ascii=True,
            ncols=width,
            bar_format=_format(width) if total is not None else "{desc}: {amount}",
            file=self._lines,
        )

    def stored(self, total_stored: int) -> None:
        if self._bar is not None and self._bar.update(total_stored - self._bar.n):
            self._bar.mininterval = min(self._bar.mininterval * 2, LAST_INTERVAL)

    def verified(self) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _name_width(width: int) -> int:
    """The widest name; 22 cells are for the percentage and the amount, 66 for all columns."""
    return width - (22 if width < NARROW else 36 if width < WIDE else 66)


def _format(width: int) -> str:
    line = "{desc}: {percentage:3.0f}%"
    amount = " {amount}"
    if width < NARROW:
        return line + amount
    if width < WIDE:
        return line + "|{bar}|" + amount
    return line + "|{bar}|" + amount + " [{elapsed}{left}{speed}]"


class _Lines:
    """Stderr for tqdm: every refresh becomes a line of its own instead of overwriting the previous one."""

    def __init__(self) -> None:
        self._stderr = Stderr()
        self._last = ""

    @property
    def on_terminal(self) -> bool:
        return self._stderr.isatty()

    @property
    def width(self) -> int:
        """Columns for a line: of the terminal, or of a log."""
        if not self.on_terminal:
            return WIDTH
        columns = os.get_terminal_size(self._stderr.fileno()).columns or WIDTH
        return min(WIDTH, columns - 1)

    @property
    def ascii_only(self) -> bool:
        return not self._stderr.encoding.lower().startswith("utf")

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line and line != self._last:
            self._last = line
            self._stderr.write(line + "\n")

    def flush(self) -> None: ...
