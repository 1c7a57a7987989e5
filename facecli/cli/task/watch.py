"""`facecli task watch`: watch tasks until they end."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
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
from facecli.cli.task.outcomes import Outcome, outcomes_of
from facecli.core.errors import FacecliError, TaskUnsuccessful
from facecli.library.session import Session
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView


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

        def show(index: int, task: TaskView) -> None:
            changed(index, task)
            show_state(session, task, output, show=partial(results.show, index))

        def outcomes() -> Generator[Outcome, None, None]:
            with closing(outcomes_of(session, ids, show)) as ended:
                for index, error in ended:
                    if error and not isinstance(error, TaskUnsuccessful):
                        task_ended(index)
                        bar_of[index].failed()
                        results.skip(index)
                    yield index, error

        with interruptible() as interruption, results.to_the_end(), closing(outcomes()) as ended:
            interruption.tasks_continue(ids, flags=session.flags)
            errors = until_first_failure(ids, ended) if fail_fast else (error for _, error in ended)
            each(errors, _raise_error, as_json=output.as_json)


def until_first_failure(ids: Sequence[str], ended: Iterable[Outcome]) -> Iterator[FacecliError | None]:
    """Errors up to the first task that failed or was cancelled; its error names the tasks still running."""
    running = dict(enumerate(ids))
    for index, error in ended:
        del running[index]
        if isinstance(error, TaskUnsuccessful):
            suffix = f"; still running: {', '.join(running.values())}" if running else ""
            first = TaskUnsuccessful(f"{error.message}{suffix}", hint=error.hint)
            first.request_id = error.request_id
            yield first
            return
        yield error


def follow(
    session: Session,
    task_id: str,
    output: Output,
    changed: Callable[[TaskView], None],
    *,
    show: Callable[..., None],
) -> None:
    """Watch one task; TaskUnsuccessful unless it completes. `show` as for `show_state`."""
    for task in session.tasks.watch(task_id, retry_for=session.settings.retry_for):
        changed(task)
        show_state(session, task, output, show=show)


def show_state(session: Session, task: TaskView, output: Output, *, show: Callable[..., None]) -> None:
    """Print a state of a task; TaskUnsuccessful if it has ended, but not completed.

    `show` prints the ended task, with the arguments of `Output.show`.
    """
    if not task.ended:
        output.event(task_object(task))
        return
    show(task_object(task), text=task_text(task), short=task.result_url)
    if task.status is not TaskStatus.COMPLETED:
        raise unsuccessful(task, flags=session.flags)


def note_all(task: TaskView, output: Output) -> None:
    """Write the figures and the notes of a task as diagnostics."""
    if task.figures:
        output.note(task.figures.text)
    for note in task.notes:
        output.note(f"note: {note}")


def _raise_error(error: FacecliError | None) -> None:
    if error:
        raise error
