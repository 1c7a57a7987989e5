"""`facecli task watch`: follow tasks to their end."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Annotated

import typer

from facecli.cli.progress.bars import Bars, bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.objects import task_line, task_object
from facecli.cli.shared.options import Limit, ProgressKind, RetryFor, TaskIds
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.core.errors import FacecliError, TaskUnsuccessful
from facecli.tasks.task import TaskStatus

Ended = tuple[str, FacecliError | None]  # a task's id, and what its watching ended with


@with_session
def watch(
    opened: Session,
    output: Output,
    ids: TaskIds,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="End when the first one failed or was cancelled; the others go on."),
    ] = False,
    timeout: Limit = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Follow tasks to their end.

    Shows frames, frames a second, the time left, and when a worker that died made another attempt begin. Goes
    on across restarts of the server. With --json every change is a line; -q prints the result's URL.

    Example: facecli task watch 6f2c… && facecli task download 6f2c…

    Example: facecli task watch --fail-fast --timeout 1h 6f2c… 81d0…

    Exit codes: 0 all completed, 3 one failed or was cancelled, 4 not let in, 5 no such task, 6 no server, 124
    --timeout passed.
    """
    with bars(opened.settings.progress, quiet=output.quiet or output.as_json) as drawn:
        following = side_by_side(ids, lambda task_id: follow(opened, task_id, output, drawn, timeout=timeout))
        with closing(following) as ended:
            outcomes = until_one_failed(ids, ended) if fail_fast else (outcome for _, outcome in ended)
            each(outcomes, _raise, as_json=output.as_json)


def side_by_side(ids: Sequence[str], work: Callable[[str], None]) -> Generator[Ended, None, None]:
    """What each piece of work ended with, as they end. After an interrupt nobody waits for the threads."""
    ended: SimpleQueue[Ended] = SimpleQueue()
    abandoned = Event()

    def run(one: str) -> None:
        outcome: FacecliError | None = FacecliError(f"a bug in facecli while it followed {one}")
        try:
            work(one)
            outcome = None
        except FacecliError as error:
            outcome = error
        except ValueError:  # how gRPC refuses a call when the session was closed under us
            if not abandoned.is_set():
                raise
        finally:
            ended.put((one, outcome))

    for one in ids:
        Thread(target=run, args=(one,), daemon=True).start()
    try:
        for _ in ids:
            yield _next(ended)
    finally:
        abandoned.set()


def until_one_failed(ids: Sequence[str], ended: Iterable[Ended]) -> Iterator[FacecliError | None]:
    """The outcomes up to the first task that failed or was cancelled, which then names those left running."""
    running = list(ids)
    for one, outcome in ended:
        running.remove(one)
        if isinstance(outcome, TaskUnsuccessful):
            left = f"; left running: {', '.join(running)}" if running else ""
            yield TaskUnsuccessful(f"{outcome.message}{left}")
            return
        yield outcome


def follow(opened: Session, task_id: str, output: Output, drawn: Bars, *, timeout: float | None) -> None:
    """Follow one task; TaskUnsuccessful unless it completed."""
    tell = drawn.task()
    changes = opened.tasks.watch(
        task_id,
        retry_for=opened.settings.retry_for,
        timeout=timeout,
        waiting=output.waiting,
    )
    for task in changes:
        tell(task)
        if not task.ended:
            output.event(task_object(task))
            continue
        output.show(task_object(task), text=task_line(task), short=task.result_url)
        if task.status is not TaskStatus.COMPLETED:
            raise TaskUnsuccessful(task.outcome)


def _next(ended: "SimpleQueue[Ended]") -> Ended:
    """Wakes now and then: the main thread can only be interrupted when it does."""
    while True:
        with suppress(Empty):
            return ended.get(timeout=0.5)


def _raise(outcome: FacecliError | None) -> None:
    if outcome:
        raise outcome
