"""Workers that no server's process watches: dead ones are found, frozen ones are fenced off."""

import os
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from facecli.tasks.leases import MISSED_HEARTBEATS
from facecli.worker.heartbeat import CHECK_INTERVAL
from tests.e2e.conftest import Serve
from tests.e2e.test_tasks import check_completed_once, create, status, watch
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.process import Running
from tests.support.e2e.server import Server, parent, wait_until_gone
from tests.support.e2e.strace import until

HELD = 2 * MISSED_HEARTBEATS * CHECK_INTERVAL  # seconds
AGAIN_WITHIN = 30.0  # seconds from a death to the next attempt; it takes about 4


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """EventKind FACECLI_DATABASE says; for SQLite nothing."""
    return str(request.getfixturevalue("postgresql")) if request.param == "postgresql" else ""


@pytest.fixture
def server(database: str, serve: Serve, paced: PacedFfmpeg) -> Server:
    """With no workers, and an ffmpeg that takes its time."""
    return serve(options=["--workers", "0"], environment={**paced.environment, "FACECLI_DATABASE": database})


def working(server: Server, name: str) -> Running:
    """A worker with the settings of the server."""
    return Running("worker", "--data-dir", server.data, "--name", name, environment=server.environment)


def files(server: Server) -> set[tuple[Path, int]]:
    """What lies in outputs/ and work/, and when it was made."""
    folders = (server.data / name for name in ("outputs", "work"))
    return {(path, path.stat().st_mtime_ns) for folder in folders for path in folder.rglob("*")}


def test_a_worker_that_is_killed_is_found_by_the_others_and_its_task_goes_on_with_one_of_them(
    server: Server, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, working(server, "one") as one:
        watching.swapping()
        with working(server, "two"):
            until(lambda: len(server.workers()) == 2)
            paced.hurry()
            os.kill(one.pid, signal.SIGKILL)
            killed = time.monotonic()
            watching.event(lambda said: said["status"] == "pending" and said["attempt"] == 1)
            known = time.monotonic() - killed
            watching.event(lambda said: said["status"] == "processing" and said["attempt"] == 2)
            again = time.monotonic() - killed
            check_completed_once(server, watching.done(), task_id, tmp_path / "out.mp4")
    sys.stderr.write(f"known after {known:.2f} s, running again after {again:.2f} s\n")
    assert again < AGAIN_WITHIN


def test_a_frozen_worker_that_wakes_up_changes_nothing_of_a_task_that_completed_elsewhere_and_goes_on(
    server: Server, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with working(server, "one") as one:
        with watch(server, task_id) as watching:
            watching.swapping()
            (encoder,) = server.ffmpegs()
            assert parent(encoder) == one.pid
            os.kill(one.pid, signal.SIGSTOP)
            paced.hurry()
            with working(server, "two"):
                done = watching.done()
                check_completed_once(server, done, task_id, tmp_path / "out.mp4")
        assert done.objects[-1]["attempt"] == 2
        before, kept = status(server, task_id), files(server)
        os.kill(one.pid, signal.SIGCONT)
        wait_until_gone([encoder])
        following = create(server, face, clip)
        with watch(server, following) as watching:
            assert watching.done().code == 0
        assert status(server, task_id) == before
        assert kept <= files(server)
        assert {path.parts[-3] for path in server.results()} == {task_id, following}
        assert len(server.results()) == 2
        until(lambda: not server.leftovers())


def test_a_worker_that_is_told_to_end_gives_its_task_to_another_at_once_and_that_is_no_death(
    server: Server, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, working(server, "two"):
        watching.swapping()
        (worker,) = server.workers()
        with working(server, "one"):
            until(lambda: len(server.workers()) == 2)
            paced.hurry()
            os.kill(worker, signal.SIGTERM)
            wait_until_gone([worker])
            check_completed_once(server, watching.done(), task_id, tmp_path / "out.mp4")
    assert "lease of worker expired" not in server.log


def test_while_somebody_else_holds_the_database_no_living_worker_is_taken_for_dead(
    serve: Serve, face: Path, clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"], environment=paced.environment)
    task_id = create(server, face, clip)
    with watch(server, task_id) as watching, working(server, "one"), working(server, "two"):
        watching.swapping()
        until(lambda: len(server.workers()) == 2)
        with closing(sqlite3.connect(server.data / "facecli.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            threading.Event().wait(HELD)
        paced.hurry()
        check_completed_once(server, watching.done(), task_id, tmp_path / "out.mp4")
    assert "lease of worker expired" not in server.log
    assert status(server, task_id)["attempt"] == 1
