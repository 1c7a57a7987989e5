"""The measurement of tasks: compared with plain ffmpeg, with many watchers, and with worker kills."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from facecli.bench.figures import MB, milliseconds
from facecli.bench.messages import GO, KILL, READY
from facecli.bench.processes import BenchProcess
from facecli.bench.server_process import RunServer, serve
from facecli.bench.target import Target
from facecli.bench.tasks.figures import KillRun, Run, TaskRun, WatchRun
from facecli.bench.tasks.plan import TaskPlan
from facecli.bench.tasks.status_poller import StatusPoller
from facecli.bench.tasks.watch_process import WatchResult, run_watchers
from facecli.bench.usage import Usage
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.tasks import TaskClient
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.errors import Cancelled, FacecliError
from facecli.core.progress import NullProgress
from facecli.core.video.media import CLIP_RATE
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import CHUNK_SIZE, FileType

FRAME_DELAY = 1.0  # seconds for each frame; keeps a task running until its worker is killed
MIN_UPTIME = 10.0  # seconds a worker must live, or its restart is delayed
OPENING_TIME = 3.0  # seconds added to a watched task, so that all watchers are connected early in it

OnTask = Callable[[TaskView], None]


def measure_tasks(
    plan: TaskPlan,
    target: Target,
    *,
    run_server: RunServer,
    samples: tuple[Path, Path],
    plain: Callable[[], float],
    progress: Callable[[], OnTask],
) -> list[Run]:
    """Run the plan against a server that `run_server` starts, with one worker.

    `plain` runs plain ffmpeg and returns its frames per second; `progress` makes an observer for each task.
    Cancelled on Ctrl-C.
    """
    try:
        with ExitStack() as stack:
            server = stack.enter_context(BenchProcess(serve, run_server))
            target = replace(target, servers=server.receive(str))
            connection = stack.enter_context(target.connect())
            bench = _TaskBench(plan, target, connection, server=server, samples=samples, progress=progress)
            runs: list[Run] = []
            for number in range(plan.warm_up + plan.runs):
                run = bench.compare(plain, plain_first=number % 2 == 0)
                runs += [run] if number >= plan.warm_up else []
            if plan.watchers:
                watchers = stack.enter_context(BenchProcess(run_watchers, target, plan.watchers, kill=True))
                runs.append(bench.watch(watchers))
            runs += [bench.kill_worker() for _ in range(plan.kills)]
            return runs
    except KeyboardInterrupt:
        raise Cancelled("interrupted") from None


class _TaskBench:
    """Runs the plan against one server."""

    def __init__(
        self,
        plan: TaskPlan,
        target: Target,
        connection: Connection,
        *,
        server: BenchProcess,
        samples: tuple[Path, Path],
        progress: Callable[[], OnTask],
    ) -> None:
        self._plan = plan
        self._target = target
        self._server = server
        self._progress = progress
        self._worker_started = time.monotonic()  # at the latest
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

    def compare(self, plain: Callable[[], float], *, plain_first: bool) -> TaskRun:
        """Run a task and plain ffmpeg, in alternating order so that drift favours neither."""
        plain_fps = plain() if plain_first else 0.0
        created = time.time()
        updates = self._run_to_completion(self._create())
        plain_fps = plain_fps or plain()
        first = next(at for at, task in updates if task.frames_done > 0)
        claimed = next(task for _, task in updates if task.status is TaskStatus.PROCESSING)
        last = updates[-1][1]
        task_fps = last.frames / (last.updated_at - claimed.updated_at)
        return TaskRun(
            first_progress_ms=round((first - created) * 1000, 1),
            task_fps=round(task_fps, 2),
            plain_fps=round(plain_fps, 2),
            by_plain=round(task_fps / plain_fps, 4),
        )

    def watch(self, watchers: BenchProcess) -> WatchRun:
        """Run a task that changes as often as a worker reports, with all watchers."""
        delay = self._plan.watch_for + OPENING_TIME
        task = self._create(delay=f"{delay:g}")
        watchers.send(task.id)
        assert watchers.receive(str) == READY
        before, started = self._server_usage(), time.monotonic()
        poller = StatusPoller(self._tasks, task.id)
        try:
            self._run_to_completion(task)
        finally:
            calls = poller.stop()  # also after Ctrl-C, before the channel is closed
        after, seconds = self._server_usage(), time.monotonic() - started
        delays = watchers.receive(WatchResult).delays
        return WatchRun(
            watch_p50_ms=milliseconds(delays, 0.50),
            watch_p95_ms=milliseconds(delays, 0.95),
            watch_events=len(delays),
            watch_cores=round((after.cpu_seconds - before.cpu_seconds) / seconds, 3),
            watch_peak_mb=round(after.peak_memory / MB, 1),
            status_p95_ms=milliseconds(calls, 0.95),
        )

    def kill_worker(self) -> KillRun:
        """Measure the time from kill -9 of the worker until a worker runs the task again."""
        time.sleep(max(0.0, self._worker_started + MIN_UPTIME - time.monotonic()))
        task = self._create(delay=f"{FRAME_DELAY * CLIP_RATE * self._plan.seconds:g}")
        killed_at = 0.0
        for _, update in self._updates(task):
            if not killed_at and update.frames_done:
                self._server.send(KILL)
                killed_at = self._server.receive(float)
            elif killed_at and update.attempt > 1 and update.status is TaskStatus.PROCESSING:
                self._tasks.cancel(task.id)
                self._worker_started = time.monotonic()
                return KillRun(again_seconds=round(update.updated_at - killed_at, 3))
        raise FacecliError(f"task {task.id} ended before its worker was killed")

    def _create(self, **options: str) -> TaskView:
        image, video = self._urls
        return self._tasks.create(image_url=image, video_url=video, engine="mock", options=options, key=None)

    def _run_to_completion(self, task: TaskView) -> list[tuple[float, TaskView]]:
        """Every update of the task with its arrival time; FacecliError if it does not complete."""
        updates = list(self._updates(task))
        _, last = updates[-1]
        if last.status is not TaskStatus.COMPLETED:
            raise FacecliError(last.outcome)
        return updates

    def _updates(self, task: TaskView) -> Iterator[tuple[float, TaskView]]:
        on_task = self._progress()
        for update in self._tasks.watch(
            task.id, retry_for=self._target.retry_for, waiting=lambda reason, seconds: None
        ):
            yield time.time(), update
            on_task(update)

    def _server_usage(self) -> Usage:
        self._server.send(GO)
        return self._server.receive(Usage)
