"""Measures tasks: a server with a worker of its own, plain ffmpeg beside it, many watchers, and kills."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from facecli.bench.figures import MB, milliseconds
from facecli.bench.processes import Side
from facecli.bench.server_process import KILL, Serving, serve_and_tell
from facecli.bench.tasks.figures import KillRun, Run, TaskRun, WatchRun
from facecli.bench.tasks.plan import TaskPlan
from facecli.bench.tasks.watch_process import Watched, watch_on_order
from facecli.bench.uploads.client_process import GO, READY, Target
from facecli.bench.usage import Usage
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.tasks import TaskClient
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.errors import Cancelled, FacecliError
from facecli.core.progress import NullProgress
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import CHUNK_SIZE, FileType

ASK_EVERY = 0.05  # seconds between two status calls while many watch
HELD = "600"  # seconds that a task takes which is to be under way when its worker is killed
SETTLED = 10.0  # seconds that a worker has to live, or its next start is put off
OPENING = 3.0  # seconds more for a watched task, so that all are there before most of it happens

Told = Callable[[TaskView], None]


def measure_tasks(
    plan: TaskPlan,
    target: Target,
    *,
    run_server: Serving,
    samples: tuple[Path, Path],
    plain: Callable[[], float],
    shown: Callable[[], Told],
) -> list[Run]:
    """Run the plan against a server that `run_server` makes, with one worker.

    `plain` runs plain ffmpeg and gives its frames per second; `shown` makes what is told of each task.
    Cancelled on Ctrl-C.
    """
    try:
        with ExitStack() as stack:
            server = stack.enter_context(Side(serve_and_tell, run_server))
            target = replace(target, servers=server.hear(str))
            connection = stack.enter_context(target.connect())
            bench = _Bench(plan, target, connection, server=server, samples=samples, shown=shown)
            runs: list[Run] = []
            for number in range(plan.warm_up + plan.runs):
                run = bench.beside(plain, plain_first=number % 2 == 0)
                runs += [run] if number >= plan.warm_up else []
            if plan.watchers:
                watching = stack.enter_context(Side(watch_on_order, target, plan.watchers, kill=True))
                runs.append(bench.watched(watching))
            runs += [bench.killed() for _ in range(plan.kills)]
            return runs
    except KeyboardInterrupt:
        raise Cancelled("interrupted") from None


class _Bench:
    """What stays the same from run to run."""

    def __init__(
        self,
        plan: TaskPlan,
        target: Target,
        connection: Connection,
        *,
        server: Side,
        samples: tuple[Path, Path],
        shown: Callable[[], Told],
    ) -> None:
        self._plan = plan
        self._target = target
        self._server = server
        self._shown = shown
        self._started = time.monotonic()  # of the worker, or a little later
        self._tasks = TaskClient(ClientContext(connection=connection, user=target.user))
        uploads = UploadClient(ClientContext(connection=connection, user=target.user))
        kinds = (FileType.IMAGE, FileType.VIDEO)
        self._urls = [
            uploads.send_one(
                FileToSend(path=path, name=path.name, file_type=kind, progress=NullProgress()),
                chunk_size=CHUNK_SIZE,
                retry_for=target.retry_for,
            ).file_url
            for path, kind in zip(samples, kinds, strict=True)
        ]

    def beside(self, plain: Callable[[], float], *, plain_first: bool) -> TaskRun:
        """A task, and plain ffmpeg before or after it: what changes with time favours neither."""
        plain_fps = plain() if plain_first else 0.0
        created = time.time()
        told = self._followed(self._create())
        plain_fps = plain_fps or plain()
        first = next(at for at, task in told if task.frames_done > 0)
        claimed = next(task for _, task in told if task.status is TaskStatus.PROCESSING)
        last = told[-1][1]
        task_fps = last.frames / (last.updated_at - claimed.updated_at)
        return TaskRun(
            first_progress_ms=round((first - created) * 1000, 1),
            task_fps=round(task_fps, 2),
            plain_fps=round(plain_fps, 2),
            by_plain=round(task_fps / plain_fps, 4),
        )

    def watched(self, watching: Side) -> WatchRun:
        """A task that changes as often as a worker tells, for long enough, and all who watch it."""
        delay = self._plan.watch_for + OPENING
        task = self._create(delay=f"{delay:g}")
        watching.tell(task.id)
        assert watching.hear(str) == READY
        before, began = self._used(), time.monotonic()
        asked = _Asked(self._tasks, task.id)
        try:
            self._followed(task)
        finally:
            calls = asked.until_now()  # also after Ctrl-C: nobody asks on a channel that is closed
        after, seconds = self._used(), time.monotonic() - began
        delays = watching.hear(Watched).delays
        return WatchRun(
            watch_p50_ms=milliseconds(delays, 0.50),
            watch_p95_ms=milliseconds(delays, 0.95),
            watch_events=len(delays),
            watch_cores=round((after.cpu_seconds - before.cpu_seconds) / seconds, 3),
            watch_peak_mb=round(after.peak_memory / MB, 1),
            status_p95_ms=milliseconds(calls, 0.95),
        )

    def killed(self) -> KillRun:
        """From kill -9 of the worker to the moment in which a worker has the task again."""
        time.sleep(max(0.0, self._started + SETTLED - time.monotonic()))
        task = self._create(delay=HELD)
        killed_at = 0.0
        for _, told in self._changes(task):
            if not killed_at and told.frames_done:
                self._server.tell(KILL)
                killed_at = self._server.hear(float)
            elif killed_at and told.attempt > 1 and told.status is TaskStatus.PROCESSING:
                self._tasks.cancel(task.id)
                self._started = time.monotonic()
                return KillRun(again_seconds=round(told.updated_at - killed_at, 3))
        raise FacecliError(f"task {task.id} ended before its worker was killed")

    def _create(self, **options: str) -> TaskView:
        image, video = self._urls
        return self._tasks.create(image_url=image, video_url=video, engine="mock", options=options, key=None)

    def _followed(self, task: TaskView) -> list[tuple[float, TaskView]]:
        """Every change that was told up to the completion, and when."""
        told = list(self._changes(task))
        _, last = told[-1]
        if last.status is not TaskStatus.COMPLETED:
            raise FacecliError(last.outcome)
        return told

    def _changes(self, task: TaskView) -> Iterator[tuple[float, TaskView]]:
        tell = self._shown()
        for change in self._tasks.watch(
            task.id, retry_for=self._target.retry_for, waiting=lambda reason, seconds: None
        ):
            yield time.time(), change
            tell(change)

    def _used(self) -> Usage:
        self._server.tell(GO)
        return self._server.hear(Usage)


class _Asked:
    """Status calls, one after the other, until they are asked for: seconds that each took."""

    def __init__(self, tasks: TaskClient, task_id: str) -> None:
        self._tasks = tasks
        self._task_id = task_id
        self._taken: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def until_now(self) -> list[float]:
        self._ended.set()
        self._thread.join()
        return self._taken

    def _ask(self) -> None:
        while not self._ended.wait(ASK_EVERY):
            began = time.monotonic()
            self._tasks.get(self._task_id)
            self._taken.append(time.monotonic() - began)
