"""Progress on stderr: rows on a terminal, lines for logs, JSON lines, or none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facecli.cli.progress.bar import Bars, BatchBar, TaskBar, TransferBar
from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import ProgressKind
from facecli.core.progress import NullProgress

if TYPE_CHECKING:
    from facecli.cli.progress.rows import BatchProgress
    from facecli.tasks.view import TaskView


@contextmanager
def progress_bars(kind: ProgressKind, *, quiet: bool) -> Iterator[Bars]:
    """The bars of one command. `auto` is rich on a terminal, tqdm elsewhere, and none with --quiet."""
    if kind == "auto":
        drawable = sys.stderr.isatty() and ENVIRONMENT.get("TERM") not in {None, "", "dumb", "unknown"}
        kind = "none" if quiet else "rich" if drawable else "tqdm"
    if kind == "none":
        yield NoBars()
    elif kind == "json":
        from facecli.cli.progress.json_bars import JsonBars

        yield JsonBars()
    elif kind == "tqdm":
        from facecli.cli.progress.tqdm_bars import tqdm_bars

        with tqdm_bars() as bars:
            yield bars
    else:
        from facecli.cli.progress.rich_bars import rich_bars

        with rich_bars() as bars:
            yield bars


class NoTransferBar(NullProgress):
    def failed(self) -> None: ...


class NoTaskBar:
    def __call__(self, task: "TaskView") -> None: ...

    def failed(self) -> None: ...


class NoBatchBar:
    def __call__(self, progress: "BatchProgress") -> None: ...


class NoBars:
    """No progress."""

    def transfer(self, name: str = "", total: int | None = None) -> TransferBar:
        return NoTransferBar()

    def task(self, task_id: str = "") -> TaskBar:
        return NoTaskBar()

    def batch(self) -> BatchBar:
        return NoBatchBar()
