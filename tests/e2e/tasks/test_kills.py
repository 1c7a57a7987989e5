"""Random kills of workers, ffmpegs and the server, and frozen workers: every task completes once.

`KILLS=200 KILL_TASKS=20 KILL_SEED=7 pytest -s tests/e2e/tasks/test_kills.py` is a long run.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.tasks import TaskClient
from facecli.media.ffmpeg import FfmpegMedia
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.fsck import fsck
from tests.support.e2e.proc import wait_until_gone
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.eventually import eventually

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "6"))
TASKS = int(os.environ.get("KILL_TASKS", "3"))
SEED = int(os.environ.get("KILL_SEED", "1"))
WORKERS = 3 if "KILLS" in os.environ else 2
MAX_PAUSE = 1.2  # seconds between two kills
FROZEN_FOR = 5.0  # seconds; long enough for the lease of the worker to expire
TIMEOUT = 600.0  # seconds; never an expectation of how long something takes


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgresql"))


def test_every_task_completes_once_and_with_the_same_result_despite_random_kills(
    database: str, serve: Serve, face: Path, media: FfmpegMedia, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    video = tmp_path / "video.mp4"
    media.make_clip(video, seconds=5, width=160, height=90)
    environment = {**paced.environment, "FACECLI_MAX_CRASHES": "1000000", "FACECLI_DATABASE": database}
    server = serve(environment=environment, options=["--workers", str(WORKERS)])
    urls = [invoke("upload", file, "--server", server.address, "-q").out.strip() for file in (face, video)]
    with watch_tasks(server) as history:
        paced.speed_up()
        (undisturbed,) = history.create(urls, 1)
        history.wait_until_ended([undisturbed])
        paced.slow_down()
        expected = server.sha256(history.last(undisturbed).result_url, "local")
        tasks = history.create(urls, TASKS)
        killer = Killer(server, random.Random(SEED))
        while killer.kills < KILLS:
            if all(history.last(task).ended for task in tasks):
                tasks += history.create(urls, TASKS)
            killer.kill()
        paced.speed_up()
        killer.wait_until_thawed()
        history.wait_until_ended(tasks)
        history.check()
        assert {history.last(task).status for task in tasks} == {TaskStatus.COMPLETED}
        assert {server.sha256(history.last(task).result_url, "local") for task in tasks} == {expected}
    summary = f"seed {SEED}: {killer.summary()} over {len(tasks)} tasks in {history.attempts()} attempts"
    sys.stderr.write(f"{summary}\n")
    eventually(lambda: not server.work_files())  # the worker removes them after the row says "completed"
    descendants = server.descendants()
    assert server.terminate() == 0
    wait_until_gone(descendants)
    assert server.descendants() == []
    server.start("--workers", "0")
    assert len(server.results()) == len(tasks) + 1
    assert server.work_files() == []
    assert server.terminate() == 0
    assert fsck(server) == []


class Killer:
    """Kills or freezes a random process of a server after a random pause; first one of each kind."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self._server = server
        self._rng = rng
        self._killed = {"worker": 0, "ffmpeg": 0, "server": 0, "frozen worker": 0}
        self._first_kinds = rng.sample(list(self._killed), len(self._killed))
        self._frozen: list[threading.Timer] = []

    @property
    def kills(self) -> int:
        return sum(self._killed.values())

    def summary(self) -> str:
        return ", ".join(f"{count} × {kind}" for kind, count in self._killed.items())

    def kill(self) -> None:
        self._pause()
        kind = next(
            (kind for kind in self._first_kinds if not self._killed[kind]),
            self._rng.choices(list(self._killed), [5, 4, 1, 1])[0],
        )
        if kind == "server":
            self._server.kill()
            self._pause()
            self._server.start()
        else:
            candidates = self._server.ffmpegs() if kind == "ffmpeg" else self._server.workers()
            if not candidates:
                return
            victim = self._rng.choice(sorted(candidates))
            _signal(victim, signal.SIGSTOP if kind == "frozen worker" else signal.SIGKILL)
            if kind == "frozen worker":
                self._frozen.append(threading.Timer(FROZEN_FOR, _signal, (victim, signal.SIGCONT)))
                self._frozen[-1].start()
        self._killed[kind] += 1

    def _pause(self) -> None:
        """Let the tasks run for a random time: there is no event to wait for."""
        threading.Event().wait(self._rng.uniform(0, MAX_PAUSE))

    def wait_until_thawed(self) -> None:
        for frozen in self._frozen:
            frozen.join()


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class TaskHistories:
    """Tasks, with every state that a watcher of each has received across reconnects."""

    def __init__(self, server: Server, client: TaskClient) -> None:
        self._server = server
        self._client = client
        self._states: dict[str, list[TaskView]] = {}
        self._changed = threading.Condition()
        self._watchers: list[threading.Thread] = []

    def create(self, urls: Sequence[str], number: int) -> list[str]:
        created = []
        for _ in range(number):
            task = self._client.create(image_url=urls[0], video_url=urls[1], engine="", options={}, key=None)
            created.append(task.id)
            self._states[task.id] = [task]
            self._watchers.append(threading.Thread(target=self._watch, args=(task.id,), daemon=True))
            self._watchers[-1].start()
        return created

    def last(self, task_id: str) -> TaskView:
        return self._states[task_id][-1]

    def wait_until_ended(self, tasks: Sequence[str]) -> None:
        with self._changed:
            ended = self._changed.wait_for(lambda: all(self.last(task).ended for task in tasks), TIMEOUT)
            assert ended, [self.last(task) for task in tasks if not self.last(task).ended]

    def attempts(self) -> int:
        return sum(states[-1].attempt for states in self._states.values())

    def check(self) -> None:
        """Assert that each task ended once and that no revision and no progress of an attempt went back."""
        for watcher in self._watchers:
            watcher.join(TIMEOUT)
        for states in self._states.values():
            assert [task.ended for task in states].count(True) == 1
            for before, after in pairwise(states):
                assert after.revision > before.revision
                assert after.attempt >= before.attempt
                if after.attempt == before.attempt and after.status is TaskStatus.PROCESSING:
                    assert after.progress >= before.progress or before.status is not after.status

    def _watch(self, task_id: str) -> None:
        for task in self._client.watch(task_id, retry_for=TIMEOUT, waiting=lambda reason, seconds: None):
            with self._changed:
                if task.revision > self.last(task_id).revision:
                    self._states[task_id].append(task)
                    self._changed.notify_all()


@contextmanager
def watch_tasks(server: Server) -> Iterator[TaskHistories]:
    with Connection(server.address, call_timeout=TIMEOUT) as connection:
        yield TaskHistories(server, TaskClient(ClientContext(connection=connection, user="local")))
