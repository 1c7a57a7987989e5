"""Progress for logs: tqdm, a line at a time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from tqdm import tqdm

from facecli.cli.progress.frame_rate import FrameRate, attempt_text
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import Stderr
from facecli.core.progress import NullProgress, TransferProgress
from facecli.tasks.view import TaskView

EVERY = 2.0  # seconds between two lines


@contextmanager
def plain_bars() -> Iterator["PlainBars"]:
    """On leaving, every bar has said its last line: nothing follows what is printed then."""
    with ExitStack() as ends:
        yield PlainBars(ends)


class PlainBars:
    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends

    def transfer(self) -> TransferProgress:
        transfer = _TqdmTransfer()
        self._ends.callback(transfer.close)
        return SafeProgress(transfer)

    def task(self) -> Callable[[TaskView], None]:
        return _TaskLines().tell


class _TaskLines:
    """A line for every state, stage and attempt, and for every tenth of the way."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._rate = FrameRate()
        self._last: tuple[object, ...] = ()

    def tell(self, task: TaskView) -> None:
        if self._rate.tell(task):
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
            mininterval=EVERY,
            ascii=True,
            ncols=100,
            file=self._lines,
        )

    def stored(self, total_stored: int) -> None:
        if self._bar is not None:
            self._bar.update(total_stored - self._bar.n)

    def waiting(self, reason: str, seconds: float) -> None:
        self._lines.write(f"{reason}; trying again in {seconds:.1f} s")

    def verified(self) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """stderr for tqdm: every drawing is a line of its own instead of lying over the one before."""

    def __init__(self) -> None:
        self._stderr = Stderr()
        self._last = ""

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line and line != self._last:
            self._last = line
            self._stderr.write(line + "\n")

    def flush(self) -> None: ...
