"""Progress bars on a terminal: bytes stored or frames done, rate, time left."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Task as Row
from rich.text import Text

from facecli.cli.progress.frame_rate import FrameRate, attempt_text
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import Stderr
from facecli.core.progress import NullProgress, TransferProgress
from facecli.tasks.view import TaskView


@contextmanager
def rich_bars() -> Iterator["RichBars"]:
    console = Console(file=cast(IO[str], Stderr()))
    # Rich's own redirection would write results to stderr and break long lines.
    with (
        _deferred_results(),
        Progress(
            TextColumn("[bold]{task.description}", table_column=None),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            _BytesOnly(DownloadColumn(binary_units=True)),
            _BytesOnly(TransferSpeedColumn()),
            _BytesOnly(TimeRemainingColumn(compact=True, elapsed_when_finished=True)),
            TextColumn("{task.fields[frames]}"),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as progress,
        redirect_stderr(_StderrAboveBars(console)),
    ):
        yield RichBars(progress)


@contextmanager
def _deferred_results() -> Iterator[None]:
    """Hold back results until the bars end if both go to the terminal; otherwise print them at once."""
    if not sys.stdout.isatty():
        yield
        return
    buffer = io.StringIO()
    try:
        with redirect_stdout(buffer):
            yield
    finally:
        print(buffer.getvalue(), end="", flush=True)


class _StderrAboveBars(io.TextIOBase):
    """Replacement for stderr that prints whole lines above the bars."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        if line := text.rstrip("\n"):
            self._console.print(Text(line), soft_wrap=True)
        return len(text)


class RichBars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def transfer(self) -> TransferProgress:
        return SafeProgress(_RichTransfer(self._progress))

    def task(self) -> Callable[[TaskView], None]:
        row: TaskID | None = None
        rate = FrameRate()

        def update(task: TaskView) -> None:
            nonlocal row
            if row is None:
                name = f"task {task.id[:8]}"
                row = self._progress.add_task(name, total=100, bytes=False, frames="", note="")
            if rate.update(task):
                self._progress.console.print(Text(attempt_text(task)), soft_wrap=True)
            attempt = f", attempt {task.attempt}" if task.attempt > 1 else ""
            self._progress.update(
                row,
                completed=task.progress,
                frames=rate.text,
                note=f"{task.stage or task.status}{attempt}",
            )

        return update


class _RichTransfer(NullProgress):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._row: TaskID | None = None

    def begin(self, name: str, total: int | None, stored: int) -> None:
        if self._row is not None:
            self._progress.remove_task(self._row)
        self._row = self._progress.add_task(
            _plain(name), total=total, completed=stored, bytes=True, frames="", note=""
        )

    def stored(self, total_stored: int) -> None:
        self._update(completed=total_stored, note="")

    def waiting(self, reason: str, seconds: float) -> None:
        self._update(note=_plain(f"{reason[:40]}, retry in {seconds:.0f} s"))

    def verified(self) -> None:
        self._update(note="verified")

    def _update(self, *, note: str, completed: int | None = None) -> None:
        if self._row is not None:
            self._progress.update(self._row, completed=completed, note=note)


class _BytesOnly(ProgressColumn):
    """Column of a byte count; empty for rows that do not count bytes."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Row) -> Text:
        rendered = self._column(task) if task.fields["bytes"] else ""
        text = rendered if isinstance(rendered, Text) else Text(str(rendered))
        return text if text.plain != "?" else Text()


def _plain(text: str) -> str:
    """The text with rich's markup escaped."""
    return text.replace("[", r"\[")
