"""Progress on stderr: rich bars on a terminal, tqdm lines for logs, JSON lines, or none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import ProgressKind
from facecli.core.progress import NullProgress, TransferProgress

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView


class Bars(Protocol):
    """Creates a bar for each transfer and each task."""

    def transfer(self) -> TransferProgress: ...

    def task(self) -> Callable[["TaskView"], None]:
        """A callback for every change of a task."""
        ...


@contextmanager
def progress_bars(kind: ProgressKind, *, quiet: bool) -> Iterator[Bars]:
    """The bars of one command. `auto` is rich on a terminal, tqdm elsewhere, and none with --quiet."""
    if kind == "auto":
        drawable = sys.stderr.isatty() and ENVIRONMENT.get("TERM") != "dumb"
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


class NoBars:
    """No progress."""

    def transfer(self) -> TransferProgress:
        return NullProgress()

    def task(self) -> Callable[["TaskView"], None]:
        return lambda task: None
