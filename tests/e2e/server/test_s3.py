"""Uploads, tasks and results in a bucket, with machines that share nothing but it and the database."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from facecli.bootstrap.blob_store import bucket_summary
from facecli.config.settings import Settings
from facecli.core.errors import BucketUnusable
from tests.e2e.conftest import MakeFile, Serve
from tests.support.blobs.s3_servers import S3Server
from tests.support.e2e.files import MIB, PacedFfmpeg, sha256
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.tasks import create, watch
from tests.support.eventually import eventually

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
    for name, value in rclone.environment.items():
        monkeypatch.setenv(name, value)
    summary = bucket_summary(Settings(blobs=rclone.url()), tmp_path)
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


def test_an_upload_changes_servers_when_one_is_killed(
    postgresql: str, rclone: S3Server, serve: Serve, user: str, file: MakeFile, tmp_path: Path
) -> None:
    shared = {"FACECLI_DATABASE": postgresql, "FACECLI_BLOBS": rclone.url(), **rclone.environment}
    servers = [
        serve(tmp_path / name, options=["--workers", "0"], environment=shared) for name in ("first", "second")
    ]
    path = file(30)
    addresses = ",".join(server.address for server in servers)
    slowly = ("--chunk-size", "5MiB", "--limit-rate", "10MiB", "--progress", "json", "--json")
    with CommandProcess("upload", path, "--user", user, "--server", addresses, *slowly) as uploading:
        uploading.wait_until_stored(5 * MIB)
        stored = [server for server in servers if "method=/video.UploadService/BeginUploads" in server.log]
        stored[0].kill()
        sent = uploading.wait()
    assert sent.code == 0
    (alive,) = (server for server in servers if server is not stored[0])
    assert alive.sha256(sent.object["file_url"], user) == sha256(path)
    assert sent.object["bytes_sent"] <= path.stat().st_size + 2 * 5 * MIB
