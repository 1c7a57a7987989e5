"""Rows and queue on PostgreSQL: crashes are survived, and the password does not leak."""

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
from tests.support.e2e.files import MIB, PacedFfmpeg, sha256
from tests.support.e2e.proc import wait_until_gone
from tests.support.e2e.process import CommandProcess, invoke, run
from tests.support.e2e.tasks import check_completed_once, create, status, swapping, watch
from tests.support.eventually import eventually
from tests.support.postgres import PASSWORD, Postgres, WithPassword
from tests.unit.rpc.conftest import Stubs

CALLERS = 40  # in parallel
COUNT_OTHER_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_task_whose_worker_is_killed_completes(
    postgresql: str, serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    with swapping(server, face, long_clip) as (task_id, watching):
        (encoder,) = server.ffmpegs()
        paced.speed_up()
        server.kill_worker()
        wait_until_gone([encoder])
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert result.objects[-1]["attempt"] == 2
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
    with swapping(server, face, video) as (task_id, watching):
        postgres.stop()
        server.wait_for_log("cannot check whether the task is still held")
        server.wait_for_log("task feed cannot read the database")
        postgres.start()
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert media.probe_video(tmp_path / "out.mp4").frames == media.probe_video(video).frames
    with watch(server, create(server, face, clip)) as watching:
        assert watching.wait().code == 0


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
    with swapping(server, face, long_clip) as (task_id, watching):
        paced.speed_up()
        postgres.stop()
        server.kill_worker()
        server.wait_for_log("work of the worker was not recovered; it waits for the restart")
        postgres.start()
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")


def test_an_upload_goes_on_after_a_crash_of_postgresql(
    postgres: Postgres, postgresql: str, serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(environment={"FACECLI_DATABASE": postgresql}, options=["--workers", "0"])
    path = file(60)
    slowly = ("--chunk-size", "2MiB", "--limit-rate", "20MiB", "--progress", "json", "--json")
    with CommandProcess("upload", path, "--user", user, "--server", server.address, *slowly) as uploading:
        uploading.wait_until_stored(10 * MIB)
        postgres.stop()
        uploading.wait_until_retrying()
        postgres.start()
        sent = uploading.wait()
    assert sent.code == 0
    assert sent.object["retries"] >= 1
    assert server.sha256(sent.object["file_url"], user) == sha256(path)


def test_a_second_server_on_the_same_database_leaves_tasks_of_the_first_alone(
    postgresql: str, serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    environment = {**paced.environment, "FACECLI_DATABASE": postgresql}
    first = serve(environment=environment)
    with swapping(first, face, long_clip) as (task_id, watching):
        encoders = first.ffmpegs()
        # Each server has one worker, with number 1.
        second = serve(tmp_path / "other", environment=environment)
        state = status(second, task_id)
        assert (state["status"], state["attempt"]) == ("processing", 1)
        assert first.ffmpegs() == encoders
        invoke("task", "cancel", task_id, "--server", second.address)
        assert watching.wait().code == 3


def test_a_password_reaches_the_workers_and_is_written_nowhere(
    postgres: Postgres, postgresql: str, serve: Serve, with_password: WithPassword, face: Path, clip: Path
) -> None:
    name = sql.Identifier(postgresql.split("?")[0].rpartition("/")[2])
    postgres.execute(sql.SQL("ALTER DATABASE {} OWNER TO ann").format(name))
    server = serve(environment={"FACECLI_DATABASE": with_password(postgresql), "FACECLI_LOG_LEVEL": "debug"})
    with watch(server, create(server, face, clip)) as watching:
        assert watching.wait().code == 0
    (worker,) = server.workers()
    for process in (server.pid, worker):
        assert PASSWORD.encode() not in Path(f"/proc/{process}/cmdline").read_bytes()
    postgres.stop()
    invoke("task", "list", "--server", server.address, environment={"FACECLI_RETRY_FOR": "0"}, expect=6)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log("work of the worker was not recovered; it waits for the restart")
    postgres.start()
    with watch(server, create(server, face, clip)) as watching:
        assert watching.wait().code == 0
    server.terminate()  # a worker still removes files of a completed task
    assert PASSWORD not in server.log
    assert [file for file in server.data.rglob("*") if file.is_file() and PASSWORD in _text(file)] == []


def test_a_data_directory_is_refused_with_a_database_that_lacks_its_files(
    postgres: Postgres, postgresql: str, serve: Serve, clip: Path
) -> None:
    server = serve(environment={"FACECLI_DATABASE": postgresql}, options=["--workers", "0"])
    invoke("upload", clip, "--server", server.address)
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


def test_a_server_and_its_worker_stay_within_their_connection_limits(
    postgresql: str, serve: Serve, face: Path, clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, clip)
    counts: list[int] = []
    with (
        watch(server, task_id) as watching,
        grpc.insecure_channel(server.address) as channel,
        ThreadPoolExecutor(CALLERS) as pool,
        closing(psycopg.connect(postgresql, autocommit=True)) as connection,
    ):
        watching.wait_until_swapping()
        request = task_pb.ListTasksRequest(user_id="ann")
        calls = [pool.submit(Stubs(channel).tasks.ListTasks, request) for _ in range(20 * CALLERS)]

        def count_until_done() -> bool:
            row = connection.execute(COUNT_OTHER_CONNECTIONS).fetchone()
            assert row
            counts.append(row[0])
            return all(call.done() for call in calls)

        eventually(count_until_done)
        paced.speed_up()
        assert watching.wait().code == 0
    sys.stderr.write(f"{max(counts)} connections\n")
    assert 2 < max(counts) <= run_server.CONNECTIONS + working.CONNECTIONS
