"""Uploads, tasks and results in a bucket, with machines that share nothing but it and the database."""

import os
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from facecli.bootstrap.blob_store import bucket_summary
from facecli.config.settings import Settings
from facecli.core.errors import BucketUnusable
from tests.e2e.conftest import MakeFile, Serve
from tests.support.blobs.s3_servers import S3Server
from tests.support.e2e.files import MIB, PacedFfmpeg, sha256
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import create, watch
from tests.support.eventually import eventually
from tests.support.monitoring.page import fetched

pytestmark = pytest.mark.slow

SEGMENTS = {"FACECLI_SEGMENT_MEGAPIXELS": "50"}  # splits the 750 frames of `long_clip` into three or four
SECOND_SEGMENT = 35  # percent; the first segment ends before
FIRST_SEGMENT_DONE = 25  # percent; less would mean that the first segment was lost


def test_a_task_goes_on_when_its_machine_is_gone(
    postgresql: str,
    rclone: S3Server,
    serve: Serve,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
) -> None:
    paced.slow_down_after_first_segment()
    url = rclone.url()
    shared = {"FACECLI_DATABASE": postgresql, "FACECLI_BLOBS": url, **rclone.environment}
    server = serve(options=["--workers", "0"], environment={**shared, **SEGMENTS, **paced.environment})
    files = rclone.files / url.removeprefix("s3://")

    def worker(name: str) -> CommandProcess:
        return CommandProcess(
            "worker", "--data-dir", tmp_path / name, "--name", name, environment=server.environment
        )

    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        with worker("one") as one:
            watching.wait_for_event(
                lambda event: event["stage"] == "swapping" and event["progress"] > SECOND_SEGMENT
            )
            os.kill(one.pid, signal.SIGKILL)
        shutil.rmtree(tmp_path / "one")
        paced.speed_up()
        with worker("two") as two:
            result = watching.wait()
            # The worker deletes checkpoints and their copies after the row says "completed".
            eventually(lambda: not list(files.glob("work/**/*.mp4.*")))
            os.kill(two.pid, signal.SIGTERM)
    again = [state for state in result.objects if state["attempt"] == 2 and state["stage"] == "swapping"]
    assert min(int(state["progress"]) for state in again) >= FIRST_SEGMENT_DONE
    assert result.objects[-1]["status"] == "completed"
    out = tmp_path / "out.mp4"
    invoke("task", "download", task_id, "-o", out, "--server", server.address)
    (stored,) = (path for path in (files / "outputs" / task_id).iterdir() if path.suffix != ".sheet")
    assert sha256(stored) == sha256(out)
    server.terminate()
    assert "no damage found" in invoke("fsck", "--data-dir", server.data, environment=server.environment).err
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    rclone.clients.usual.delete_object(Bucket=bucket, Key=f"{prefix}/outputs/{task_id}/{stored.name}")
    lost = invoke("fsck", "--data-dir", server.data, expect=8, environment=server.environment)
    assert "its result is missing" in lost.out


def test_a_bucket_that_cannot_be_used_is_named(
    rclone: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rclone.configure(monkeypatch)
    summary, seconds = bucket_summary(Settings(blobs=rclone.url()), tmp_path)
    assert 0 < seconds < 60
    assert summary.endswith(f"at {rclone.endpoint}, not used by a server yet")
    with pytest.raises(BucketUnusable, match="there is no bucket missing-bucket"):
        bucket_summary(Settings(blobs="s3://missing-bucket"), tmp_path)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(BucketUnusable, match="refuses these credentials"):
        bucket_summary(Settings(blobs=rclone.url()), tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BucketUnusable, match="no credentials for bucket test-bucket"):
        bucket_summary(Settings(blobs=rclone.url()), tmp_path)


def test_an_upload_and_a_watch_change_servers_when_one_is_killed_and_one_is_stopped(
    postgresql: str, rclone: S3Server, serve: Serve, face: Path, clip: Path, file: MakeFile, tmp_path: Path
) -> None:
    shared = {"FACECLI_DATABASE": postgresql, "FACECLI_BLOBS": rclone.url(), **rclone.environment}
    options = ["--workers", "0", "--metrics", "127.0.0.1:0"]
    servers = [serve(tmp_path / name, options=options, environment=shared) for name in ("a", "b", "c")]
    anywhere = ("--server", ",".join(server.address for server in servers))
    alive = list(servers)
    task_id = create(alive[0], face, clip)
    path = file(60)
    slowly = ("--chunk-size", "5MiB", "--limit-rate", "10MiB", "--progress", "json", "--json")
    with (
        CommandProcess("task", "watch", task_id, "--json", *anywhere) as watching,
        CommandProcess("upload", path, "--user", "zoe", *anywhere, *slowly) as uploading,
    ):
        watching.wait_for_event(lambda event: event["status"] == "pending")
        stored = uploading.wait_until_stored(5 * MIB)
        killed = holder(alive, "watchers")
        killed.kill()
        alive.remove(killed)
        uploading.wait_until_stored(stored + 10 * MIB)
        stopped = holder(alive, "uploads")
        assert stopped.terminate() == 0
        alive.remove(stopped)
        sent = uploading.wait()
        (last,) = alive
        assert holder(alive, "watchers") is last
        invoke("task", "cancel", task_id, *anywhere)
        assert watching.wait().code == 3
    assert sent.code == 0
    assert last.sha256(sent.object["file_url"], "zoe") == sha256(path)
    assert sent.object["retries"] >= 1
    assert sent.object["bytes_sent"] <= path.stat().st_size + 2 * 2 * 5 * MIB, "two chunks at each break"


def holder(servers: Sequence[Server], kind: str) -> Server:
    """The server that holds a slot of this kind, once there is one."""

    def holds(server: Server) -> bool:
        server.wait_for_log("/metrics\n")
        (url,) = re.findall(r"^  metrics +(http\S+)$", server.log, re.MULTILINE)
        return fetched(url).value("facecli_slots_in_use", kind=kind) > 0

    return eventually(lambda: list(filter(holds, servers)))[0]
