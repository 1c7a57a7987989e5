"""Leases of stand-alone workers: a dead one loses its task, and a frozen one is fenced off."""

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from facecli.tasks.leases import MISSED_HEARTBEATS
from facecli.worker.heartbeat import CHECK_INTERVAL
from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.proc import parent, wait_until_gone
from tests.support.e2e.server import Server
from tests.support.e2e.suspension import suspend_outside_transactions
from tests.support.e2e.tasks import check_completed_once, create, start_worker, status, watch
from tests.support.eventually import eventually, never

LOCKED_FOR = 2 * MISSED_HEARTBEATS * CHECK_INTERVAL  # seconds
LEASE_EXPIRED = "lease of worker expired"  # in the log of the server or worker that notices it first


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The value of FACECLI_DATABASE, which is empty for SQLite."""
    return str(request.getfixturevalue("postgresql")) if request.param == "postgresql" else ""


@pytest.fixture
def server(database: str, serve: Serve, paced: PacedFfmpeg) -> Server:
    """A server without workers and with a slowed-down ffmpeg."""
    return serve(options=["--workers", "0"], environment={**paced.environment, "FACECLI_DATABASE": database})


def outputs(server: Server) -> set[tuple[Path, int]]:
    """The paths in outputs/, which no worker removes, with their modification times."""
    return {(path, path.stat().st_mtime_ns) for path in (server.data / "outputs").rglob("*")}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_task_of_a_killed_worker_moves_to_another_worker(
    server: Server, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, start_worker(server, "one") as one:
        watching.wait_until_swapping()
        with start_worker(server, "two") as two:
            eventually(lambda: len(server.workers()) == 2)
            paced.speed_up()
            os.kill(one.pid, signal.SIGKILL)
            killed_at = time.monotonic()
            watching.wait_for_event(lambda state: state["status"] == "pending" and state["attempt"] == 1)
            detected = time.monotonic() - killed_at
            watching.wait_for_event(lambda state: state["status"] == "processing" and state["attempt"] == 2)
            retried = time.monotonic() - killed_at
            check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
            log = server.log + two.kill().err
    sys.stderr.write(f"detected after {detected:.2f} s, running again after {retried:.2f} s\n")
    assert LEASE_EXPIRED in log


# A frozen worker loses its lease like a killed one: this test proves most of the others for both databases.
def test_a_thawed_worker_cannot_change_a_task_that_completed_elsewhere(
    server: Server, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with start_worker(server, "one") as one:
        with watch(server, task_id) as watching:
            watching.wait_until_swapping()
            (encoder,) = server.ffmpegs()
            assert parent(parent(encoder)) == one.pid
            suspend_outside_transactions(one.pid, server.data)
            paced.speed_up()
            with start_worker(server, "two"):
                result = watching.wait()
                check_completed_once(server, result, task_id, tmp_path / "out.mp4")
        assert result.objects[-1]["attempt"] == 2
        state, before = status(server, task_id), outputs(server)
        os.kill(one.pid, signal.SIGCONT)
        wait_until_gone([encoder])
        following = create(server, face, clip)
        with watch(server, following) as watching:
            assert watching.wait().code == 0
        assert status(server, task_id) == state
        assert before <= outputs(server)
        assert {path.parts[-3] for path in server.results()} == {task_id, following}
        assert len(server.results()) == 2
        eventually(lambda: not server.work_files())


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_that_is_terminated_hands_over_its_task_without_a_crash(
    server: Server, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, start_worker(server, "two"):
        watching.wait_until_swapping()
        (worker,) = server.workers()
        with start_worker(server, "one"):
            eventually(lambda: len(server.workers()) == 2)
            paced.speed_up()
            os.kill(worker, signal.SIGTERM)
            wait_until_gone([worker])
            check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
    assert LEASE_EXPIRED not in server.log


def test_no_lease_expires_while_another_process_locks_the_database(
    serve: Serve, face: Path, clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"], environment=paced.environment)
    task_id = create(server, face, clip)
    with watch(server, task_id) as watching, start_worker(server, "one"), start_worker(server, "two"):
        watching.wait_until_swapping()
        eventually(lambda: len(server.workers()) == 2)
        with closing(sqlite3.connect(server.data / "facecli.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            never(lambda: LEASE_EXPIRED in server.log, during=LOCKED_FOR)
        paced.speed_up()
        check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
    assert LEASE_EXPIRED not in server.log
    assert status(server, task_id)["attempt"] == 1
