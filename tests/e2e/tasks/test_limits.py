"""Crash and time limits of tasks, a task that the queue lost, and concurrent creation with one key."""

import os
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from facecli.engines.registry import GROUP
from facecli.wire.generated import task_service_pb2, task_service_pb2_grpc
from facecli.wire.generated.video_service_pb2 import CreateTaskRequest
from facecli.wire.generated.video_service_pb2_grpc import VideoServiceStub
from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.proc import wait_until_gone
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import create, swapping, watch_to_end
from tests.support.eventually import eventually

ENGINES = """
import os, signal, threading
from facecli.core.errors import Cancelled

class Engine:
    version, needs = "1", ()
    def __init__(self, media): ...
    def check(self, options): ...

class Deadly(Engine):
    name = "deadly"
    def swap(self, swap, *, progress, stopped):
        os.kill(os.getpid(), signal.SIGKILL)

class Endless(Engine):
    name = "endless"
    def swap(self, swap, *, progress, stopped):
        while not stopped():
            threading.Event().wait(0.05)
        raise Cancelled
"""
CALLERS = 20  # in parallel


@pytest.fixture
def engines(tmp_path: Path) -> Mapping[str, str]:
    """An environment with an engine that kills its worker and one that never ends."""
    dist_info = tmp_path / "packages" / "trouble-1.dist-info"
    dist_info.mkdir(parents=True)
    (dist_info / "METADATA").write_text("Metadata-Version: 2.1\nName: trouble\nVersion: 1\n")
    names = "deadly = trouble:Deadly\nendless = trouble:Endless\n"
    (dist_info / "entry_points.txt").write_text(f"[{GROUP}]\n{names}")
    (dist_info.parent / "trouble.py").write_text(ENGINES)
    return {"PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(dist_info.parent)])}


def test_a_task_that_keeps_killing_its_worker_fails_and_the_next_one_completes(
    serve: Serve, engines: Mapping[str, str], face: Path, clip: Path
) -> None:
    server = serve(environment={**engines, "FACECLI_MAX_CRASHES": "2"})
    deadly, harmless = create(server, face, clip, "--engine", "deadly"), create(server, face, clip)
    failed = watch_to_end(server, deadly)
    assert (failed["status"], failed["attempt"]) == ("failed", 2)
    assert failed["error"]["reason"] == "PROGRAM_KILLED"
    reason = "2 attempts crashed without progress; at the last, its worker was killed by SIGKILL"
    assert reason in failed["error"]["message"]
    log = eventually(lambda: log if reason in (log := _log(server, deadly)) else "")
    assert "was killed by SIGKILL; task requeued for attempt 2\n" in log
    assert watch_to_end(server, harmless)["status"] == "completed"
    # A worker deletes the checkpoints when the queue delivers the failed task once more.
    eventually(lambda: not [path for path in server.work_files() if path.is_file()])


def _log(server: Server, task_id: str) -> str:
    return invoke("task", "logs", task_id, "--server", server.address).out


@pytest.mark.parametrize("setting", ["task_timeout", "segment_timeout"])
def test_a_task_that_exceeds_a_time_limit_fails_and_the_next_one_starts(
    serve: Serve, engines: Mapping[str, str], face: Path, clip: Path, setting: str
) -> None:
    server = serve(environment={**engines, f"FACECLI_{setting.upper()}": "1s"})
    for endless in [create(server, face, clip, "--engine", "endless") for _ in range(2)]:
        failed = watch_to_end(server, endless)
        assert (failed["status"], failed["attempt"]) == ("failed", 1)
        assert failed["error"]["reason"] == "TIMED_OUT"
        assert setting in failed["error"]["message"]


def test_a_time_limit_ends_a_running_ffmpeg(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_TASK_TIMEOUT": "12s"})
    with swapping(server, face, long_clip) as (_, watching):
        encoders = server.ffmpegs()
        assert encoders
        failed = watching.wait().objects[-1]
    assert failed["error"]["reason"] == "TIMED_OUT"
    wait_until_gone(encoders)
    assert server.ffmpegs() == []


def test_a_running_server_requeues_a_task_that_the_queue_lost(serve: Serve, face: Path, clip: Path) -> None:
    server = serve(options=["--workers", "0"])
    task_id = create(server, face, clip)
    with closing(sqlite3.connect(server.data / "queue.db")) as queue, queue:
        assert queue.execute("DELETE FROM workflow_status").rowcount == 1
    server.wait_for_log(f"task missing from the queue; enqueued again task={task_id}")
    server.terminate()
    server.start("--workers", "1")
    assert watch_to_end(server, task_id)["status"] == "completed"


def test_concurrent_callers_with_one_key_create_one_task(
    either_url: str, serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(environment={"FACECLI_DATABASE": either_url})
    options = ("--server", server.address, "-q")
    image, video = (invoke("upload", file, *options).out.strip() for file in (face, clip))
    request = CreateTaskRequest(user_id="local", image_url=image, video_url=video)
    ready = threading.Barrier(CALLERS)

    def create_task(_: int) -> str:
        own = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.address, options=own) as channel:
            grpc.channel_ready_future(channel).result()
            ready.wait()
            response = VideoServiceStub(channel).CreateTask(request, metadata=(("idempotency-key", "order"),))
            return str(response.task_id)

    with ThreadPoolExecutor(CALLERS) as pool:
        (task_id,) = set(pool.map(create_task, range(CALLERS)))
    assert watch_to_end(server, task_id)["status"] == "completed"
    with grpc.insecure_channel(server.address) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        (task,) = stub.ListTasks(task_service_pb2.ListTasksRequest(user_id="local")).tasks
    assert (task.task_id, task.attempt) == (task_id, 1)
    assert len(server.results()) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest) -> str:
    """The value of FACECLI_DATABASE, which is empty for SQLite."""
    return str(request.getfixturevalue("postgresql")) if request.param == "postgresql" else ""
