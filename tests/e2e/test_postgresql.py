"""Rows and queue on PostgreSQL: what dies there is survived, and the password stays where it belongs."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import grpc
import psycopg
from psycopg import sql

from facecli.bootstrap import server as run_server
from facecli.bootstrap import worker as working
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.generated import task_service_pb2 as task_pb
from tests.e2e.conftest import MakeFile, Serve
from tests.e2e.test_tasks import check_completed_once, create, status, watch
from tests.support.e2e.files import MIB, PacedFfmpeg, sha256
from tests.support.e2e.process import Running, run
from tests.support.e2e.server import wait_until_gone
from tests.support.postgres import PASSWORD, Postgres, WithPassword
from tests.unit.rpc.conftest import Stubs

CALLERS = 40  # at once
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_task_whose_worker_is_killed_completes(
    postgresql: str, serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        (encoder,) = server.ffmpegs()
        paced.hurry()
        server.kill_worker()
        wait_until_gone([encoder])
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert done.objects[-1]["attempt"] == 2
    assert list(server.data.glob("*.db")) == []


def test_a_task_and_its_watcher_outlive_a_crash_of_postgresql(
    postgres: Postgres,
    postgresql: str,
    serve: Serve,
    face: Path,
    clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
    media: FfmpegMedia,
) -> None:
    video = tmp_path / "video.mp4"
    media.make_clip(video, seconds=8, width=320, height=180)
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, video)
    with watch(server, task_id) as watching:
        watching.swapping()
        postgres.stop()
        server.heard("cannot check whether the task is still held")
        server.heard("task feed cannot read the database")
        postgres.start()
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert media.probe_video(tmp_path / "out.mp4").frames == media.probe_video(video).frames
    with watch(server, create(server, face, clip)) as watching:
        assert watching.done().code == 0


def test_a_task_whose_worker_dies_while_postgresql_is_away_completes(
    postgres: Postgres,
    postgresql: str,
    serve: Serve,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        paced.hurry()
        postgres.stop()
        server.kill_worker()
        server.heard("work of the worker waits for its restart")
        postgres.start()
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")


def test_an_upload_goes_on_after_a_crash_of_postgresql(
    postgres: Postgres, postgresql: str, serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(environment={"FACECLI_DATABASE": postgresql}, options=["--workers", "0"])
    path = file(60)
    slowly = ("--chunk-size", "2MiB", "--limit-rate", "20MiB", "--progress", "json", "--json")
    with Running("upload", path, "--user", user, "--server", server.address, *slowly) as uploading:
        uploading.stored(10 * MIB)
        postgres.stop()
        uploading.event(lambda said: said.get("event") == "waiting")
        postgres.start()
        sent = uploading.done()
    assert sent.code == 0
    assert sent.object["retries"] >= 1
    assert server.sha256(sent.object["file_url"], user) == sha256(path)


def test_a_second_server_on_the_same_database_leaves_the_work_of_the_first_alone(
    postgresql: str, serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    environment = {**paced.environment, "FACECLI_DATABASE": postgresql}
    first = serve(environment=environment)
    task_id = create(first, face, long_clip)
    with watch(first, task_id) as watching:
        watching.swapping()
        encoders = first.ffmpegs()
        # Each of them has one worker, its first.
        second = serve(tmp_path / "other", environment=environment)
        now = status(second, task_id)
        assert (now["status"], now["attempt"]) == ("processing", 1)
        assert first.ffmpegs() == encoders
        run("task", "cancel", task_id, "--server", second.address)
        assert watching.done().code == 3


def test_a_password_reaches_the_workers_and_stands_nowhere_else(
    postgres: Postgres, postgresql: str, serve: Serve, with_password: WithPassword, face: Path, clip: Path
) -> None:
    name = sql.Identifier(postgresql.split("?")[0].rpartition("/")[2])
    postgres.execute(sql.SQL("ALTER DATABASE {} OWNER TO ann").format(name))
    server = serve(environment={"FACECLI_DATABASE": with_password(postgresql), "FACECLI_LOG_LEVEL": "debug"})
    with watch(server, create(server, face, clip)) as watching:
        assert watching.done().code == 0
    (worker,) = server.workers()
    for process in (server.pid, worker):
        assert PASSWORD.encode() not in Path(f"/proc/{process}/cmdline").read_bytes()
    postgres.stop()
    run("task", "list", "--server", server.address, "--timeout", "1s", expect=6)
    os.kill(worker, signal.SIGKILL)
    server.heard("work of the worker waits for its restart")
    postgres.start()
    with watch(server, create(server, face, clip)) as watching:
        assert watching.done().code == 0
    assert PASSWORD not in server.log
    assert [file for file in server.data.rglob("*") if file.is_file() and PASSWORD in _text(file)] == []


def test_a_data_directory_is_not_used_with_a_database_that_does_not_know_its_files(
    postgres: Postgres, postgresql: str, serve: Serve, clip: Path
) -> None:
    server = serve(environment={"FACECLI_DATABASE": postgresql}, options=["--workers", "0"])
    run("upload", clip, "--server", server.address)
    server.terminate()
    before = sorted((server.data / "uploads").rglob("*"))
    elsewhere = postgres.new_database()
    for options in ([], ["--database", elsewhere]):
        refused = run(
            "serve", "--bind", server.address, "--data-dir", server.data, *options, "--json", expect=10
        )
        assert refused.error["reason"] == "POLICY_REFUSED"
        assert "does not know" in refused.error["message"]
    run("worker", "--data-dir", server.data, "--database", elsewhere, expect=10)
    assert sorted((server.data / "uploads").rglob("*")) == before
    server.start()


def _text(file: Path) -> str:
    return file.read_bytes().decode(errors="replace")


def test_a_server_and_its_worker_take_no_more_connections_than_they_say(
    postgresql: str, serve: Serve, face: Path, clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, clip)
    counted = []
    with (
        watch(server, task_id) as watching,
        grpc.insecure_channel(server.address) as channel,
        ThreadPoolExecutor(CALLERS) as pool,
        closing(psycopg.connect(postgresql, autocommit=True)) as connection,
    ):
        watching.swapping()
        request = task_pb.ListTasksRequest(user_id="ann")
        calls = [pool.submit(Stubs(channel).tasks.ListTasks, request) for _ in range(20 * CALLERS)]
        while not all(call.done() for call in calls):
            row = connection.execute(OTHERS).fetchone()
            assert row
            counted.append(row[0])
        paced.hurry()
        assert watching.done().code == 0
    sys.stderr.write(f"{max(counted)} connections\n")
    assert 2 < max(counted) <= run_server.CONNECTIONS + working.CONNECTIONS
