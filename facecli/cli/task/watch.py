"""`facecli task watch`: watch tasks until they end."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.listing import given
from facecli.cli.shared.objects import task_object, task_text
from facecli.cli.shared.options import ProgressKind, RetryFor, TaskIds
from facecli.cli.shared.ordered import OrderedResults
from facecli.cli.shared.outcome import unsuccessful
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.core.errors import FacecliError, TaskUnsuccessful
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView

Outcome = tuple[str, FacecliError | None]  # a task's ID, and the error that ended its watch


@partial(with_session, quiet_help="Print only the URLs of results.")
def watch(
    session: Session,
    output: Output,
    ids: TaskIds,
    fail_fast: Annotated[
        bool,
        typer.Option(
            "--fail-fast", help="Stop watching when a task fails or is cancelled; the others continue."
        ),
    ] = False,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Watch tasks until they end.

    Shows frames done, frame rate, time left, and new attempts after a worker crash. Survives restarts of the
    server. Outcomes are printed in the order of the IDs. With --json, prints one line per change; with -q,
    prints one line per ID: the result's URL, or an empty line if there is none.

    Example: facecli task watch 6f2c… && facecli task download 6f2c…

    Example: facecli task watch --fail-fast --timeout 1h 6f2c… 81d0…

    Exit codes: 0 all completed, 3 a task failed or was cancelled, 4 unauthenticated or forbidden, 5 task not
    found, 6 server unreachable, 124 --timeout expired.
    """
    ids = given(ids)
    results = OrderedResults(output, len(ids), positional=True)
    with progress_bars(session.settings.progress, quiet=output.quiet or output.as_json) as bars:
        bar_of = [bars.task(task_id) for task_id in ids]
        running = dict(enumerate(ids))

        def task_ended(index: int) -> None:
            running.pop(index, None)
            interruption.tasks_continue(list(running.values()), flags=session.flags)

        def changed(index: int, task: TaskView) -> None:
            if task.ended:
                task_ended(index)  # before its row, which Ctrl-C must not contradict
            bar_of[index](task)

        def work(index: int, abandoned: Callable[[], bool]) -> None:
            try:
                follow(
                    session,
                    ids[index],
                    output,
                    partial(changed, index),
                    show=partial(results.show, index),
                    abandoned=abandoned,
                )
            except FacecliError as error:
                if not isinstance(error, TaskUnsuccessful):
                    task_ended(index)
                    bar_of[index].failed()
                    results.skip(index)
                raise

        with (
            interruptible() as interruption,
            results.to_the_end(),
            closing(run_concurrently(ids, work)) as ended,
        ):
            interruption.tasks_continue(ids, flags=session.flags)
            outcomes = until_first_failure(ids, ended) if fail_fast else (one for _, one in ended)
            each(outcomes, _raise_error, as_json=output.as_json)


def run_concurrently(
    ids: Sequence[str], work: Callable[[int, Callable[[], bool]], None]
) -> Generator[Outcome, None, None]:
    """Run the work for every ID in its own daemon thread; outcomes in the order in which they arrive.

    The work gets the index of the ID, and a function that returns true once nobody waits for it any more.
    """
    ended: SimpleQueue[Outcome] = SimpleQueue()
    abandoned = Event()

    def run(index: int, task_id: str) -> None:
        outcome: FacecliError | None = FacecliError(f"a bug in facecli while watching {task_id}")
        try:
            work(index, abandoned.is_set)
            outcome = None
        except FacecliError as error:
            outcome = error
        except ValueError:  # gRPC's error for a call on a closed channel
            if not abandoned.is_set():
                raise
        finally:
            ended.put((task_id, outcome))

    for index, task_id in enumerate(ids):
        Thread(target=run, args=(index, task_id), daemon=True).start()
    try:
        for _ in ids:
            yield _next(ended)
    finally:
        abandoned.set()


def until_first_failure(ids: Sequence[str], ended: Iterable[Outcome]) -> Iterator[FacecliError | None]:
    """Outcomes up to the first task that failed or was cancelled; its error names the tasks still running."""
    running = list(ids)
    for task_id, outcome in ended:
        running.remove(task_id)
        if isinstance(outcome, TaskUnsuccessful):
            suffix = f"; still running: {', '.join(running)}" if running else ""
            yield TaskUnsuccessful(f"{outcome.message}{suffix}", hint=outcome.hint)
            return
        yield outcome


def follow(
    session: Session,
    task_id: str,
    output: Output,
    changed: Callable[[TaskView], None],
    *,
    show: Callable[..., None],
    abandoned: Callable[[], bool] = lambda: False,
) -> None:
    """Watch one task; TaskUnsuccessful unless it completes. Prints nothing once it is abandoned.

    `show` prints the ended task, with the arguments of `Output.show`.
    """
    followed = session.tasks.find(task_id).id
    for task in session.tasks.watch(followed, retry_for=session.settings.retry_for):
        if abandoned():
            return
        changed(task)
        if not task.ended:
            output.event(task_object(task))
            continue
        show(task_object(task), text=task_text(task), short=task.result_url)
        if task.status is not TaskStatus.COMPLETED:
            raise unsuccessful(task, flags=session.flags)


def _next(ended: "SimpleQueue[Outcome]") -> Outcome:
    """The next outcome. Polls, because Ctrl-C cannot interrupt an untimed wait of the main thread."""
    while True:
        with suppress(Empty):
            return ended.get(timeout=0.5)


def _raise_error(outcome: FacecliError | None) -> None:
    if outcome:
        raise outcome
