"""Tasks that never end, or kill who runs them, fail with a reason; a lost one runs, a repeated one once."""

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
from tests.e2e.test_tasks import create, watch
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.process import Event, run
from tests.support.e2e.server import Server, wait_until_gone

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
AT_ONCE = 20


@pytest.fixture
def engines(tmp_path: Path) -> Mapping[str, str]:
    """The environment in which there are a deadly and an endless engine."""
    about = tmp_path / "packages" / "trouble-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: trouble\nVersion: 1\n")
    names = "deadly = trouble:Deadly\nendless = trouble:Endless\n"
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{names}")
    (about.parent / "trouble.py").write_text(ENGINES)
    return {"PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(about.parent)])}


def outcome(server: Server, task_id: str) -> Event:
    with watch(server, task_id) as watching:
        return watching.done().objects[-1]


def test_a_task_that_kills_its_worker_again_and_again_fails_and_the_next_one_completes(
    serve: Serve, engines: Mapping[str, str], face: Path, clip: Path
) -> None:
    server = serve(environment={**engines, "FACECLI_MAX_CRASHES": "3"})
    deadly, harmless = create(server, face, clip, "--engine", "deadly"), create(server, face, clip)
    failed = outcome(server, deadly)
    assert (failed["status"], failed["attempt"]) == ("failed", 3)
    assert failed["error"]["reason"] == "PROGRAM_KILLED"
    assert "its worker was killed 3 times" in failed["error"]["message"]
    assert outcome(server, harmless)["status"] == "completed"
    assert not [path for path in server.leftovers() if path.is_file()]


@pytest.mark.parametrize("setting", ["task_timeout", "segment_timeout"])
def test_a_task_that_takes_longer_than_a_limit_fails_and_the_next_one_is_begun(
    serve: Serve, engines: Mapping[str, str], face: Path, clip: Path, setting: str
) -> None:
    server = serve(environment={**engines, f"FACECLI_{setting.upper()}": "2s"})
    for endless in [create(server, face, clip, "--engine", "endless") for _ in range(2)]:
        failed = outcome(server, endless)
        assert (failed["status"], failed["attempt"]) == ("failed", 1)
        assert failed["error"]["reason"] == "TIMED_OUT"
        assert setting in failed["error"]["message"]


def test_a_limit_ends_an_ffmpeg_that_runs(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_TASK_TIMEOUT": "12s"})
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        encoders = server.ffmpegs()
        assert encoders
        failed = watching.done().objects[-1]
    assert failed["error"]["reason"] == "TIMED_OUT"
    wait_until_gone(encoders)
    assert server.ffmpegs() == []


def test_a_task_that_the_queue_lost_is_found_while_the_server_runs(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    task_id = create(server, face, clip)
    with closing(sqlite3.connect(server.data / "queue.db")) as queue, queue:
        assert queue.execute("DELETE FROM workflow_status").rowcount == 1
    server.heard(f"task missing from the queue; enqueued again task={task_id}")
    server.terminate()
    server.start("--workers", "1")
    assert outcome(server, task_id)["status"] == "completed"


def test_a_key_makes_one_task_however_many_ask_at_once(
    either_url: str, serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(environment={"FACECLI_DATABASE": either_url})
    to = ("--server", server.address, "-q")
    image, video = (run("upload", file, *to).out.strip() for file in (face, clip))
    request = CreateTaskRequest(user_id="local", image_url=image, video_url=video)
    ready = threading.Barrier(AT_ONCE)

    def ask(_: int) -> str:
        own = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.address, options=own) as channel:
            grpc.channel_ready_future(channel).result()
            ready.wait()
            answer = VideoServiceStub(channel).CreateTask(request, metadata=(("idempotency-key", "order"),))
            return str(answer.task_id)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        (task_id,) = set(pool.map(ask, range(AT_ONCE)))
    assert outcome(server, task_id)["status"] == "completed"
    with grpc.insecure_channel(server.address) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        (task,) = stub.ListTasks(task_service_pb2.ListTasksRequest(user_id="local")).tasks
    assert (task.task_id, task.attempt) == (task_id, 1)
    assert len(server.results()) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest) -> str:
    """EventKind FACECLI_DATABASE says; for SQLite nothing."""
    return str(request.getfixturevalue("postgresql")) if request.param == "postgresql" else ""
