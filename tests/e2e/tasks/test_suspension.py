"""Processes suspended (SIGSTOP) exactly within a write: their locks keep nobody from working for long."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.files import MIB, PacedFfmpeg, sha256
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.requirements import needs
from tests.support.e2e.suspension import suspend_in_commit
from tests.support.e2e.tasks import check_completed_once, create, start_worker, status, swapping, watch
from tests.support.eventually import eventually

WAITING = """
SELECT activity.pid FROM pg_stat_activity AS activity JOIN pg_locks USING (pid)
WHERE datname = current_database() AND NOT granted AND query LIKE %s
"""


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def suspended_with_lock(url: str, pid: int, *, table: str, row_id: str) -> Iterator[None]:
    """Suspend a process that waits for the lock of this row, then let PostgreSQL give it the lock."""
    lock = sql.SQL("SELECT 1 FROM {} WHERE id = %s FOR UPDATE").format(sql.Identifier(table))
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as observer:
        holder.execute(lock, [row_id])
        eventually(lambda: observer.execute(WAITING, [f"%{table}%"]).fetchall())
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_worker_suspended_while_it_changes_a_task_does_not_stop_the_recovery(
    postgresql: str, serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(
        options=["--workers", "0"], environment={**paced.environment, "FACECLI_DATABASE": postgresql}
    )
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, start_worker(server, "one") as one:
        watching.wait_until_swapping()
        with suspended_with_lock(postgresql, one.pid, table="tasks", row_id=task_id):
            paced.speed_up()
            with start_worker(server, "two"):
                check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
        assert status(server, task_id)["attempt"] == 2


def test_a_server_suspended_while_it_stores_a_chunk_loses_its_locks_and_no_byte(
    postgresql: str, serve: Serve, file: MakeFile, user: str
) -> None:
    server = serve(options=["--workers", "0"], environment={"FACECLI_DATABASE": postgresql})
    path = file(6)
    slowly = ("--chunk-size", "1MiB", "--limit-rate", "1MiB", "--progress", "json", "--json")
    with CommandProcess("upload", path, "--user", user, "--server", server.address, *slowly) as uploading:
        uploading.wait_until_stored(MIB)
        with psycopg.connect(postgresql, options="-c lock_timeout=60000") as other:
            (upload_id,) = other.execute("SELECT id FROM uploads").fetchone() or ("",)
            other.commit()
            with suspended_with_lock(postgresql, server.pid, table="uploads", row_id=upload_id):
                other.execute("SELECT 1 FROM uploads FOR UPDATE")
        sent = uploading.wait()
    assert sent.code == 0
    assert server.sha256(sent.object["file_url"], user) == sha256(path)


@needs("strace")
def test_a_worker_suspended_with_the_lock_of_the_sqlite_file_is_replaced(
    serve: Serve, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment=paced.environment)
    with swapping(server, face, long_clip) as (task_id, watching):
        (worker,) = server.workers()
        paced.speed_up()
        suspend_in_commit(worker, server.data / "facecli.db")
        invoke("upload", clip, "--server", server.address)
        check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
    assert worker not in server.workers()


@needs("strace")
def test_a_stand_alone_worker_suspended_with_the_lock_of_sqlite_loses_it(
    serve: Serve, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"], environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching, start_worker(server, "one") as one:
        watching.wait_until_swapping()
        paced.speed_up()
        suspend_in_commit(one.pid, server.data / "facecli.db")
        invoke("upload", clip, "--server", server.address)
        with start_worker(server, "two"):
            check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
    assert "worker is suspended and locks the database; killed" in server.log


@needs("strace")
def test_a_worker_suspended_with_the_lock_of_the_queue_file_is_replaced(
    serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    server = serve()
    (worker,) = eventually(server.workers)
    with ThreadPoolExecutor() as pool:
        creating = pool.submit(create, server, face, clip)
        suspend_in_commit(worker, server.data / "queue.db")
        task_id = creating.result()
    with watch(server, task_id) as watching:
        check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")
    assert worker not in server.workers()
