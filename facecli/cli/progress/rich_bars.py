"""Progress on a terminal: a block of rows, redrawn in place below results and diagnostics."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import IO, cast

from rich.console import Console, ConsoleRenderable
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from facecli.cli.progress.block import Block
from facecli.cli.progress.frame_rate import attempt_text
from facecli.cli.progress.rows import BatchProgress, BatchRow, Row, TaskRow, TransferRow
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import Stderr, write_stdout
from facecli.config.environment import ENVIRONMENT
from facecli.tasks.view import TaskView

REFRESH_RATE = 10.0  # per second
# Set by terminals that wrap existing lines again when their width changes; others cut them off.
_REWRAPPING = (
    *("ALACRITTY_WINDOW_ID", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "TERM_PROGRAM", "TMUX"),
    *("VTE_VERSION", "WEZTERM_PANE", "WT_SESSION"),
)


@contextmanager
def rich_bars() -> Iterator["RichBars"]:
    # Exported sizes would be wrong after a resize.
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in {"COLUMNS", "LINES"}}
    console = Console(file=cast(IO[str], _Terminal()), highlight=False, _environ=environment)
    block = Block()
    results = _Lines(console, block)
    with ExitStack() as stack:
        stack.callback(results.print_held)
        # Rich's own redirection would break long lines.
        live = _RowsLive(block, console=console)
        stack.enter_context(live)
        if _same_terminal():
            stack.enter_context(redirect_stdout(results))
        stack.enter_context(redirect_stderr(_Lines(console)))
        yield RichBars(block, console, begun=results.release)


class RichBars:
    def __init__(self, block: Block, console: Console, *, begun: Callable[[], None]) -> None:
        self._block = block
        self._console = console
        self._begun = begun

    def transfer(self, name: str = "", total: int | None = None) -> "RichTransfer":
        return RichTransfer(TransferRow(name, total), self._add, listed=bool(name))

    def task(self, task_id: str = "") -> "RichTask":
        return RichTask(task_id, self._add, self._console)

    def batch(self) -> Callable[[BatchProgress], None]:
        row = BatchRow()
        self._add(row, listed=False)
        return row.update

    def _add(self, row: Row, *, listed: bool) -> None:
        self._begun()
        self._block.add(row, listed=listed)


class RichTransfer(SafeProgress):
    """Row of one transfer; it appears at once if it has a name, else when it begins."""

    def __init__(self, row: TransferRow, add: Callable[..., None], *, listed: bool) -> None:
        super().__init__(row)
        self._row = row
        self._add = add
        self._added = listed
        if listed:
            add(row, listed=True)

    def begin(self, name: str, total: int | None, stored: int) -> None:
        super().begin(name, total, stored)
        if not self._added:
            self._added = True
            self._add(self._row, listed=False)

    def failed(self) -> None:
        """Show that the transfer has failed."""
        self._row.failed()


class RichTask:
    """Row of one task; it appears at once if its ID is known, else with its first change."""

    def __init__(self, task_id: str, add: Callable[..., None], console: Console) -> None:
        self._row: TaskRow | None = None
        self._add = add
        self._console = console
        if task_id:
            self._row = TaskRow(task_id)
            add(self._row, listed=True)

    def __call__(self, task: TaskView) -> None:
        row, added = self._row or TaskRow(task.id), self._row is not None
        self._row = row
        if row.update(task):
            self._console.print(Text(attempt_text(task)), soft_wrap=True)
        if not added:
            self._add(row, listed=False)

    def failed(self) -> None:
        """Show that watching the task has failed."""
        if self._row:
            self._row.failed()


class _RowsLive(Live):
    """Live display that also erases the wrapped rest of its lines after the terminal became narrower."""

    def __init__(self, block: Block, *, console: Console) -> None:
        super().__init__(
            console=console,
            get_renderable=lambda: block,
            refresh_per_second=REFRESH_RATE,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._block = block
        self._rewraps = any(name in ENVIRONMENT for name in _REWRAPPING)

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        width = self.console.size.width
        wrapped = sum(max(0, -(-cells // width) - 1) for cells in self._block.widths) if self._rewraps else 0
        up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
        processed = super().process_renderables(renderables)
        return [processed[0], Control(*(up * wrapped)), *processed[1:]] if wrapped else processed


class _Lines(io.TextIOBase):
    """Stream that prints whole lines above the rows.

    With a block, lines are held while all its rows have ended, unless earlier ones were printed: a result at
    the end belongs below the rows.
    """

    def __init__(self, console: Console, block: Block | None = None) -> None:
        self._console = console
        self._block = block
        self._unfinished = ""
        self._held = list[str]()
        self._printed = False

    def write(self, text: str) -> int:
        *whole, self._unfinished = (self._unfinished + text).split("\n")
        for line in whole:
            if self._block and not self._printed and not self._block.active:
                self._held.append(line)
            else:
                self._printed = True
                self._print(line)
        return len(text)

    def release(self) -> None:
        """Print held lines above the rows, because another row begins."""
        while self._held:
            self._print(self._held.pop(0))

    def print_held(self) -> None:
        """Print what is left to the real stream, after the rows."""
        for line in self._held:
            write_stdout(line)

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class _Terminal(Stderr):
    """Stderr whose cursor waits at the start of a line, so that typed text never wraps the last row."""

    def write(self, text: str) -> int:
        return super().write(text if text.endswith("\n") else f"{text}\r")


def _same_terminal() -> bool:
    """Whether results go to the terminal that shows the rows."""
    try:
        return sys.stdout.isatty() and os.ttyname(sys.stdout.fileno()) == os.ttyname(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
