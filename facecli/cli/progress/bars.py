"""Progress on stderr: a rich bar, tqdm for plain logs, JSON lines, or silence."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from facecli.cli.progress.frame_rate import FrameRate
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import say
from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import ProgressKind
from facecli.core.progress import Silent, TransferProgress

if TYPE_CHECKING:
    from facecli.tasks.task import Task


class Bars(Protocol):
    """Makes a bar for each transfer and each task."""

    def transfer(self) -> TransferProgress: ...

    def task(self) -> Callable[["Task"], None]:
        """What is called with the task after every change."""
        ...


@contextmanager
def bars(kind: ProgressKind, *, quiet: bool) -> Iterator[Bars]:
    """The bars of one command. `auto` is rich on a terminal and plain lines elsewhere."""
    if kind == "auto":
        drawable = sys.stderr.isatty() and ENVIRONMENT.get("TERM") != "dumb"
        kind = "none" if quiet else "rich" if drawable else "tqdm"
    if kind == "none":
        yield NoBars()
    elif kind == "json":
        yield JsonBars()
    elif kind == "tqdm":
        from facecli.cli.progress.tqdm_bars import plain_bars

        with plain_bars() as lines:
            yield lines
    else:
        from facecli.cli.progress.rich_bars import rich_bars

        with rich_bars() as drawn:
            yield drawn


class NoBars:
    def transfer(self) -> TransferProgress:
        return Silent()

    def task(self) -> Callable[["Task"], None]:
        return lambda task: None


class JsonBars:
    """One event a line."""

    def transfer(self) -> TransferProgress:
        return SafeProgress(_JsonTransfer())

    def task(self) -> Callable[["Task"], None]:
        return _JsonTask().tell


class _JsonTask:
    def __init__(self) -> None:
        self._rate = FrameRate()

    def tell(self, task: "Task") -> None:
        if self._rate.tell(task):
            _event("attempt", task_id=task.id, round=task.round, attempt=task.attempt)
        _event(
            "task",
            task_id=task.id,
            status=task.status,
            progress=task.progress,
            frames_done=task.frames_done,
            frames=task.frames,
            frames_per_second=_rounded(self._rate.per_second),
            seconds_left=_rounded(self._rate.seconds_left),
            stage=task.stage,
            round=task.round,
            attempt=task.attempt,
        )


class _JsonTransfer(Silent):
    def __init__(self) -> None:
        self._name = ""
        self._total: int | None = None

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._name, self._total = name, total
        self.stored(stored)

    def stored(self, total_stored: int) -> None:
        _event("stored", name=self._name, stored=total_stored, total=self._total)

    def waiting(self, reason: str, seconds: float) -> None:
        _event("waiting", name=self._name, reason=reason, seconds=round(seconds, 1))

    def verified(self) -> None:
        _event("verified", name=self._name)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _event(kind: str, **values: object) -> None:
    say(json.dumps({"event": kind, **values}))
