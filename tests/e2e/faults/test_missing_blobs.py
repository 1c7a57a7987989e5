"""What goes wrong without anybody's death: bytes deleted behind the server's back, quiet lines, no user."""

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


def test_a_task_whose_video_was_deleted_on_the_disk_says_so_and_a_new_upload_mends_it(
    serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"])
    to = ("--server", server.address, "--json")
    image, video = (said["file_url"] for said in run("upload", face, clip, *to).objects)
    task_id = run("task", "create", "--image", image, "--video", video, *to).object["task_id"]
    largest(server.data / "uploads").unlink()
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
    done = run("swap", face, clip, "-o", out, *to).object
    assert out.stat().st_size == done["result_size"]
    server.results()[0].unlink()
    gone = run("task", "download", done["task_id"], "-o", tmp_path / "again.mp4", *to, expect=8).error
    assert "gone from the server's disk" in gone["message"]
    assert not (tmp_path / "again.mp4").exists()


def test_who_names_no_user_is_nobody_and_neither_sees_nor_cancels_what_is_anothers(
    serve: Serve, user: str, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    files = ("--image", face, "--video", clip, "--server", server.address)
    task_id = run("task", "create", *files, "--user", user, "-q").out.strip()
    nobody = ("--server", server.address, "--user", "", "--json")
    for command in ("cancel", "retry", "watch"):
        assert run("task", command, task_id, *nobody, expect=5).error["reason"] == "TASK_NOT_FOUND"
    assert run("task", "list", *nobody).objects == []
    with grpc.insecure_channel(server.address) as channel:
        uploads = upload_service_pb2_grpc.UploadServiceStub(channel)
        listed = uploads.ListUploads(upload_service_pb2.ListUploadsRequest(user_id=user)).uploads
        assert len(listed) == 2
        for upload in listed:
            with pytest.raises(grpc.RpcError) as refused:
                uploads.CancelUpload(upload_service_pb2.CancelUploadRequest(upload_id=upload.upload_id))
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert len(server.uploads(user)) == 2


def test_a_watcher_to_whom_nothing_is_said_for_long_is_not_dropped_for_asking_whether_the_server_lives(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    files = ("--image", face, "--video", clip, "--server", server.address)
    task_id = run("task", "create", *files, "--user", "ann", "-q").out.strip()
    # Ten times as often as our client, and as often as gRPC allows: a server that minds drops the third one.
    # The deadline ends a watch that was left alone.
    eager = [("grpc.keepalive_time_ms", 1000), ("grpc.http2.max_pings_without_data", 0)]
    with grpc.insecure_channel(server.address, options=eager) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        request = task_service_pb2.WatchTaskRequest(user_id="ann", task_id=task_id)
        with pytest.raises(grpc.RpcError) as ended:
            list(stub.WatchTask(request, timeout=5))
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED, ended.value.details()


def largest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
