"""Damaged SQLite files: the server names the file and the remedy, and fsck rebuilds the queue."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.e2e.fsck import fsck
from tests.support.e2e.process import CommandProcess, invoke, run
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import check_completed_once, create, watch


def overwrite(file: Path) -> None:
    file.write_bytes(b"garbage" * 10_000)


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def drop_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE workflow_status")


def replace_by_another(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, face: Path, clip: Path) -> Iterator[tuple[Path, str]]:
    """A data directory with a task that waits for a worker, made once and copied for every test."""
    data = tmp_path_factory.mktemp("made") / "data"
    with Server(data, options=["--workers", "0"]) as server:
        task_id = create(server, face, clip)
        server.terminate()
        yield data, task_id


@pytest.fixture
def waiting(made: tuple[Path, str], tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A stopped server with a task that waits for a worker."""
    data, task_id = made
    shutil.copytree(data, tmp_path / "data")
    with ExitStack() as stack:
        server = Server(tmp_path / "data", options=["--workers", "0"])
        stack.push(server.__exit__)
        yield server, task_id


def refused(server: Server) -> str:
    """The error of a server that does not start."""
    command = ("serve", "--bind", server.address, "--data-dir", server.data, "--json")
    return str(run(*command, expect=6).error["message"])


@pytest.mark.parametrize("damage", [overwrite, truncate, drop_table, replace_by_another])
def test_a_damaged_queue_is_rebuilt_with_its_waiting_tasks(
    waiting: tuple[Server, str], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    server, task_id = waiting
    queue = server.data / "queue.db"
    damage(queue)
    message = refused(server)
    assert f"{queue} is damaged" in message
    assert "facecli fsck --repair rebuilds it from the tasks" in message
    (finding,) = fsck(server, expect=8)
    assert (finding["kind"], finding["id"], finding["repairable"]) == ("database", "queue", True)
    fsck(server, "--repair")
    assert fsck(server) == []
    server.start("--workers", "1")
    with watch(server, task_id) as watching:
        check_completed_once(server, watching.wait(), task_id, tmp_path / "out.mp4")


@pytest.mark.parametrize("damage", [overwrite, truncate])
def test_a_damaged_database_is_named_with_the_remedy(
    waiting: tuple[Server, str], damage: Callable[[Path], None]
) -> None:
    server, _ = waiting
    database = server.data / "facecli.db"
    damage(database)
    contents = database.read_bytes()
    result = invoke("fsck", "--data-dir", server.data, "--repair", "--json", expect=None)
    found = "".join(finding["problem"] + finding["remedy"] for finding in result.objects)
    assert result.code == 8
    for message in (refused(server), found or result.error["message"]):
        assert "restore" in message
        assert "from a backup" in message
    assert database.read_bytes() == contents


def test_a_queue_is_not_rebuilt_under_a_running_worker(waiting: tuple[Server, str]) -> None:
    server, _ = waiting
    worker = ("worker", "--data-dir", server.data, "--name", "extra")
    with CommandProcess(*worker, environment={"FACECLI_LOG_LEVEL": "info"}) as running:
        running.wait_for_line("err", number=2)  # the second one says "started", with the queue open
        overwrite(server.data / "queue.db")
        error = invoke("fsck", "--data-dir", server.data, "--repair", "--json", expect=1).error
    assert (error["reason"], "worker extra uses" in error["message"]) == ("DIRECTORY_IN_USE", True)
    assert (server.data / "queue.db").exists()


def test_a_locked_queue_is_unavailable_and_named(waiting: tuple[Server, str]) -> None:
    server, _ = waiting
    with closing(sqlite3.connect(server.data / "queue.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert "the task queue is not available: database is locked" in refused(server)
    server.start()
