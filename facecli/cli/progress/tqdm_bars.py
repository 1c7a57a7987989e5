"""Progress as plain lines for logs, drawn by tqdm."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from tqdm import tqdm

from facecli.cli.progress.frame_rate import FrameRate, attempt_text
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import Stderr
from facecli.core.progress import NullProgress, TransferProgress
from facecli.tasks.view import TaskView

LINE_INTERVAL = 2.0  # seconds


@contextmanager
def tqdm_bars() -> Iterator["TqdmBars"]:
    """On exit every bar has written its last line, so nothing follows later output."""
    with ExitStack() as ends:
        yield TqdmBars(ends)


class TqdmBars:
    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends

    def transfer(self) -> TransferProgress:
        transfer = _TqdmTransfer()
        self._ends.callback(transfer.close)
        return SafeProgress(transfer)

    def task(self) -> Callable[[TaskView], None]:
        return _TaskLines().update


class _TaskLines:
    """One line per status, stage, attempt and ten percent of progress."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._rate = FrameRate()
        self._last: tuple[object, ...] = ()

    def update(self, task: TaskView) -> None:
        if self._rate.update(task):
            self._lines.write(attempt_text(task))
        tenth = task.progress // 10
        now = (task.status, task.stage, task.round, task.attempt, tenth)
        if now != self._last:
            self._last = now
            parts = (task.id, task.status, f"{tenth * 10}%", task.stage, self._rate.text)
            self._lines.write("  ".join(filter(None, parts)))


class _TqdmTransfer(NullProgress):
    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._lines = _Lines()

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self.close()
        self._bar = tqdm(
            desc=name,
            total=total,
            initial=stored,
            unit="B",
            unit_scale=True,
            mininterval=LINE_INTERVAL,
            ascii=True,
            ncols=100,
            file=self._lines,
        )

    def stored(self, total_stored: int) -> None:
        if self._bar is not None:
            self._bar.update(total_stored - self._bar.n)

    def verified(self) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """Stderr for tqdm: every refresh becomes a line of its own instead of overwriting the previous one."""

    def __init__(self) -> None:
        self._stderr = Stderr()
        self._last = ""

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line and line != self._last:
            self._last = line
            self._stderr.write(line + "\n")

    def flush(self) -> None: ...
