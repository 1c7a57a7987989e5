"""Tasks wait for a worker that runs their engine, say so, and go on after an upgrade of facecli."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facecli.queue.client import QUEUE
from tests.e2e.conftest import Serve
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import status, watch_to_end

WAITING = "no running worker has the engine mock; the task waits until one does"


def test_a_task_without_a_worker_says_so_and_runs_after_an_upgrade(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    files = ("--image", face, "--video", clip, "--server", server.address)
    created = invoke("task", "create", *files)
    task_id = created.out.strip()
    assert f"note: {WAITING}" in created.err
    assert status(server, task_id)["notes"] == [WAITING]
    unknown = invoke("task", "create", *files, "--engine", "nowhere", "--json", expect=2)
    assert unknown.error["message"].startswith("there is no engine 'nowhere'")
    server.terminate()
    enqueue_as_before(server)
    server.start("--workers", "1")
    server.wait_for_log("worker started")
    assert "engines=" in server.log
    ended = watch_to_end(server, task_id)
    assert (ended["status"], ended["attempt"], ended["notes"]) == ("completed", 1, [])


def enqueue_as_before(server: Server) -> None:
    """Move the work to the one queue that the version before queues of engines had."""
    with closing(sqlite3.connect(server.data / "queue.db")) as queue, queue:
        queue.execute("UPDATE workflow_status SET queue_name = ?", [QUEUE])
