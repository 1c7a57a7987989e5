"""The outcomes of several tasks, in the order in which they end; one stream follows all of them."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

from facecli.core.errors import FacecliError, TaskNotFound
from facecli.library.session import Session
from facecli.tasks.view import TaskView

FINDERS = 16  # threads that look up IDs

Outcome = tuple[int, FacecliError | None]  # the index of an ID, and the error of its task or its watch
Show = Callable[[int, TaskView], None]  # shows a state of the task at an index; its error is that of the task


def outcomes_of(session: Session, ids: Sequence[str], show: Show) -> Generator[Outcome, None, None]:
    """Show every state of the tasks, and yield each index with its outcome."""
    indexes, revisions = defaultdict[str, list[int]](list), dict[str, int]()
    for index, found in _found(session, ids):
        if isinstance(found, FacecliError):
            yield index, found
            continue
        yield from _shown([index], found, show)
        if not found.ended:
            indexes[found.id].append(index)
            revisions[found.id] = min(found.revision, revisions.get(found.id, found.revision))
    try:
        for change in session.tasks.watch_several(revisions, retry_for=session.settings.retry_for):
            if change.task is None:
                gone = TaskNotFound(f"there is no task {change.task_id}")
                yield from ((index, gone) for index in indexes.pop(change.task_id))
                continue
            yield from _shown(indexes[change.task_id], change.task, show)
            if change.task.ended:
                del indexes[change.task_id]
    except FacecliError as error:
        yield from ((index, error) for each in indexes.values() for index in each)


def _shown(indexes: Sequence[int], task: TaskView, show: Show) -> Iterator[Outcome]:
    """Show a state, and yield the outcome of an ended task, or of a state that cannot be shown."""
    for index in indexes:
        outcome: FacecliError | None = None
        try:
            show(index, task)
        except FacecliError as error:
            outcome = error
        if task.ended or outcome:
            yield index, outcome


def _found(session: Session, ids: Sequence[str]) -> Iterator[tuple[int, TaskView | FacecliError]]:
    """Each index with its task, or the error that none was found with, in the order in which they arrive."""
    wanted, found = SimpleQueue[int](), SimpleQueue[tuple[int, TaskView | FacecliError]]()
    abandoned = Event()
    for index in range(len(ids)):
        wanted.put(index)

    def find() -> None:
        with suppress(Empty):
            while not abandoned.is_set():
                index = wanted.get_nowait()
                found.put((index, _task(session, ids[index], abandoned)))

    for _ in ids[:FINDERS]:
        Thread(target=find, daemon=True).start()
    try:
        for _ in ids:
            yield _next(found)
    finally:
        abandoned.set()


def _task(session: Session, reference: str, abandoned: Event) -> TaskView | FacecliError:
    try:
        return session.tasks.find_own(reference)
    except FacecliError as error:
        return error
    except ValueError as error:  # gRPC's error for a call on a closed channel
        if not abandoned.is_set():
            raise
        return FacecliError(str(error))


def _next(
    found: "SimpleQueue[tuple[int, TaskView | FacecliError]]",
) -> tuple[int, TaskView | FacecliError]:
    """The next item. Polls, because Ctrl-C cannot interrupt an untimed wait of the main thread."""
    while True:
        with suppress(Empty):
            return found.get(timeout=0.5)
