"""Workers, ffmpegs and the server are killed, workers also frozen, at random moments: every task ends once.

`KILLS=200 KILL_TASKS=20 KILL_SEED=7 pytest -s tests/e2e/test_kills.py` is the long run.
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
from tests.support.e2e.process import run
from tests.support.e2e.server import Server, wait_until_gone

KILLS = int(os.environ.get("KILLS", "10"))
TASKS = int(os.environ.get("KILL_TASKS", "4"))
SEED = int(os.environ.get("KILL_SEED", "1"))
WORKERS = 3
LONGEST_PAUSE = 1.2  # seconds between two kills
FROZEN = 5.0  # seconds; long enough to be taken for dead
PATIENCE = 600.0  # seconds; never how long something may take, only when a watcher gives up


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgresql"))


def test_every_task_ends_once_and_as_undisturbed_whatever_is_killed(
    database: str, serve: Serve, face: Path, media: FfmpegMedia, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    video = tmp_path / "video.mp4"
    media.make_clip(video, seconds=5, width=160, height=90)
    environment = {**paced.environment, "FACECLI_MAX_CRASHES": "1000000", "FACECLI_DATABASE": database}
    server = serve(environment=environment, options=["--workers", str(WORKERS)])
    urls = [run("upload", file, "--server", server.address, "-q").out.strip() for file in (face, video)]
    with watching(server) as watched:
        paced.hurry()
        (undisturbed,) = watched.create(urls, 1)
        watched.until_ended([undisturbed])
        paced.slow_down()
        wanted = server.sha256(watched.last(undisturbed).result_url, "local")
        tasks = watched.create(urls, TASKS)
        killer = Killer(server, random.Random(SEED))
        while killer.kills < KILLS:
            if all(watched.last(task).ended for task in tasks):
                tasks += watched.create(urls, TASKS)
            killer.kill()
        paced.hurry()
        killer.until_thawed()
        watched.until_ended(tasks)
        watched.check()
        assert {watched.last(task).status for task in tasks} == {TaskStatus.COMPLETED}
        assert {server.sha256(watched.last(task).result_url, "local") for task in tasks} == {wanted}
    said = f"seed {SEED}: {killer.said()} over {len(tasks)} tasks in {watched.attempts()} attempts"
    sys.stderr.write(f"{said}\n")
    descendants = server.descendants()
    assert server.terminate() == 0
    wait_until_gone(descendants)
    assert server.descendants() == []
    server.start("--workers", "0")
    assert len(server.results()) == len(tasks) + 1
    assert server.leftovers() == []
    assert server.terminate() == 0
    assert fsck(server) == []


class Killer:
    """Kills what it finds, after a random while."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self._server = server
        self._chance = chance
        self._killed = {"worker": 0, "ffmpeg": 0, "server": 0, "frozen worker": 0}
        self._frozen: list[threading.Timer] = []

    @property
    def kills(self) -> int:
        return sum(self._killed.values())

    def said(self) -> str:
        return ", ".join(f"{number} × {what}" for what, number in self._killed.items())

    def kill(self) -> None:
        threading.Event().wait(self._chance.uniform(0, LONGEST_PAUSE))
        what = self._chance.choices(list(self._killed), [5, 4, 1, 1])[0]
        if what == "server":
            self._server.kill()
            threading.Event().wait(self._chance.uniform(0, LONGEST_PAUSE))
            self._server.start()
        else:
            found = self._server.ffmpegs() if what == "ffmpeg" else self._server.workers()
            if not found:
                return
            victim = self._chance.choice(sorted(found))
            _signal(victim, signal.SIGSTOP if what == "frozen worker" else signal.SIGKILL)
            if what == "frozen worker":
                self._frozen.append(threading.Timer(FROZEN, _signal, (victim, signal.SIGCONT)))
                self._frozen[-1].start()
        self._killed[what] += 1

    def until_thawed(self) -> None:
        for frozen in self._frozen:
            frozen.join()


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class Watched:
    """Tasks, and all that a watcher of each was told, across every break."""

    def __init__(self, server: Server, client: TaskClient) -> None:
        self._server = server
        self._client = client
        self._told: dict[str, list[TaskView]] = {}
        self._changed = threading.Condition()
        self._watchers: list[threading.Thread] = []

    def create(self, urls: Sequence[str], number: int) -> list[str]:
        made = []
        for _ in range(number):
            task = self._client.create(image_url=urls[0], video_url=urls[1], engine="", options={}, key=None)
            made.append(task.id)
            self._told[task.id] = [task]
            self._watchers.append(threading.Thread(target=self._watch, args=(task.id,), daemon=True))
            self._watchers[-1].start()
        return made

    def last(self, task_id: str) -> TaskView:
        return self._told[task_id][-1]

    def until_ended(self, tasks: Sequence[str]) -> None:
        with self._changed:
            ended = self._changed.wait_for(lambda: all(self.last(task).ended for task in tasks), PATIENCE)
            assert ended, [self.last(task) for task in tasks if not self.last(task).ended]

    def attempts(self) -> int:
        return sum(told[-1].attempt for told in self._told.values())

    def check(self) -> None:
        """One end each; no revision and, within an attempt, no progress goes back."""
        for watcher in self._watchers:
            watcher.join(PATIENCE)
        for told in self._told.values():
            assert [task.ended for task in told].count(True) == 1
            for before, after in pairwise(told):
                assert after.revision > before.revision
                assert after.attempt >= before.attempt
                if after.attempt == before.attempt and after.status is TaskStatus.PROCESSING:
                    assert after.progress >= before.progress or before.status is not after.status

    def _watch(self, task_id: str) -> None:
        for task in self._client.watch(task_id, retry_for=PATIENCE, waiting=lambda why, pause: None):
            with self._changed:
                if task.revision > self.last(task_id).revision:
                    self._told[task_id].append(task)
                    self._changed.notify_all()


@contextmanager
def watching(server: Server) -> Iterator[Watched]:
    with Connection(server.address, timeout=PATIENCE) as connection:
        yield Watched(server, TaskClient(ClientContext(connection=connection, user="local")))
