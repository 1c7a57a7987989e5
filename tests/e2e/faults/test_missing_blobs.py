"""Blobs deleted behind the server's back, calls without a user, and watchers of an idle task."""

from pathlib import Path

import grpc
import pytest

from facecli.wire.generated import (
    task_service_pb2,
    task_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from tests.e2e.conftest import Serve
from tests.support.e2e.process import run


def test_a_task_whose_video_was_deleted_fails_and_a_new_upload_repairs_it(
    serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"])
    to = ("--server", server.address, "--json")
    image, video = (upload["file_url"] for upload in run("upload", face, clip, *to).objects)
    task_id = run("task", "create", "--image", image, "--video", video, *to).object["task_id"]
    largest_file(server.data / "uploads").unlink()
    refused = run("task", "create", "--image", image, "--video", video, *to, expect=8).error
    assert refused["reason"] == "BYTES_DIFFER"
    assert "clip.mp4" in refused["message"]
    assert "upload --no-resume" in refused["message"]
    server.terminate()
    server.start("--workers", "1")
    failed = run("task", "watch", task_id, *to, expect=3).objects[-1]
    assert (failed["status"], failed["error"]["reason"]) == ("failed", "BYTES_DIFFER")
    run("upload", "--no-resume", clip, *to)
    out = tmp_path / "out.mp4"
    result = run("swap", face, clip, "-o", out, *to).object
    assert out.stat().st_size == result["result_size"]
    server.results()[0].unlink()
    missing = run("task", "download", result["task_id"], "-o", tmp_path / "again.mp4", *to, expect=8).error
    assert "gone from the server's disk" in missing["message"]
    assert not (tmp_path / "again.mp4").exists()


def test_an_anonymous_caller_neither_sees_nor_cancels_uploads_and_tasks_of_users(
    serve: Serve, user: str, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    files = ("--image", face, "--video", clip, "--server", server.address)
    task_id = run("task", "create", *files, "--user", user, "-q").out.strip()
    anonymous = ("--server", server.address, "--user", "", "--json")
    for command in ("cancel", "retry", "watch"):
        assert run("task", command, task_id, *anonymous, expect=5).error["reason"] == "TASK_NOT_FOUND"
    assert run("task", "list", *anonymous).objects == []
    with grpc.insecure_channel(server.address) as channel:
        uploads = upload_service_pb2_grpc.UploadServiceStub(channel)
        listed = uploads.ListUploads(upload_service_pb2.ListUploadsRequest(user_id=user)).uploads
        assert len(listed) == 2
        for upload in listed:
            with pytest.raises(grpc.RpcError) as refused:
                uploads.CancelUpload(upload_service_pb2.CancelUploadRequest(upload_id=upload.upload_id))
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert len(server.uploads(user)) == 2


def test_an_idle_watcher_is_not_disconnected_for_its_keepalive_pings(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    files = ("--image", face, "--video", clip, "--server", server.address)
    task_id = run("task", "create", *files, "--user", "ann", "-q").out.strip()
    # Ten times as often as our client, and as often as gRPC allows: a strict server disconnects at the third.
    # The deadline ends a watch that is left alone.
    eager = [("grpc.keepalive_time_ms", 1000), ("grpc.http2.max_pings_without_data", 0)]
    with grpc.insecure_channel(server.address, options=eager) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        request = task_service_pb2.WatchTaskRequest(user_id="ann", task_id=task_id)
        with pytest.raises(grpc.RpcError) as ended:
            list(stub.WatchTask(request, timeout=5))
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED, ended.value.details()


def largest_file(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
