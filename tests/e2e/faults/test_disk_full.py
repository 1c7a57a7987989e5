"""A full disk: uploads are refused with a reason, tasks wait, and both continue when there is room."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.chaos.events import Direction
from facecli.wire.errors import from_rpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files
from tests.support.e2e.disks import Ballast, tmpfs
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import acknowledged, upload_command
from tests.support.eventually import eventually
from tests.support.sockets import free_port
from tests.support.web.http_client import Answer, Headers, ask
from tests.support.web.tus import BODY_TYPE, encoded

pytestmark = needs("tmpfs")

SIZE = 32  # MiB


class Disk(Ballast):
    """A small file system that a test can fill to its last byte."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with tmpfs(tmp_path / "disk", size=f"{SIZE}m") as folder:
        yield Disk(folder)


def test_an_upload_to_a_full_disk_is_refused_and_completes_when_there_is_room(
    disk: Disk, serve: Serve, user: str, face: Path, clip: Path, file: MakeFile
) -> None:
    server = serve(data=disk.data, options=["--workers", "0"])
    send = ("upload", "--server", server.address, "--user", user, "--json", "--retry-for", "1s")
    url = run(*send, face).object["file_url"]
    refused = run(*send, file(SIZE), expect=9)
    assert refused.error["reason"] == "DISK_FULL"
    assert "free some space" in refused.error["hint"]
    disk.fill()
    assert run(*send, clip, expect=9).error["reason"] == "DISK_FULL"
    eventually(lambda: _health(server) == ("SERVING", "NOT_SERVING"))
    assert server.sha256(url, user) == sha256(face)
    assert server.uploads(user) == {face.name: face.stat().st_size}
    disk.free()
    assert server.sha256(run(*send, clip).object["file_url"], user) == sha256(clip)
    eventually(lambda: _health(server) == ("SERVING", "SERVING"))


def test_an_upload_with_reserved_space_continues_while_the_disk_is_full(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.data, options=["--workers", "0"]), file(SIZE // 2)
    command = ("upload", path, "--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
    with CommandProcess(*command, "--progress", "json", "--retry-for", "1s") as upload:
        upload.wait_until_stored(0)
        disk.fill()
        result = upload.wait()
    if result.code:
        # There was no room for the rows: the upload is refused, and no acknowledged byte is lost.
        assert (result.code, result.error["reason"]) == (9, "DISK_FULL")
        disk.free()
        result = run(*command)
    assert server.sha256(result.object["file_url"], user) == sha256(path)


def test_an_app_upload_of_unknown_size_fills_the_disk_and_resumes_when_there_is_room(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    """UploadVideo without `file_size` reserves no space, so the disk fills up in the middle."""
    server, path = serve(data=disk.data, options=["--workers", "0"]), file(SIZE // 2)
    disk.fill(leave=SIZE // 4 * MIB)
    messages = [
        video_pb.UploadRequest(
            user_id=user,
            file_name=path.name,
            file_type="video",
            chunk=part,
            chunk_index=index,
            total_chunks=SIZE // 2,
        )
        for index, part in enumerate(
            path.read_bytes()[at : at + MIB] for at in range(0, SIZE // 2 * MIB, MIB)
        )
    ]
    with grpc.insecure_channel(server.address) as channel:
        stub = video_pb_grpc.VideoServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.UploadVideo(iter(messages), metadata=(("facecli-resume", "1"),))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert from_rpc(refused.value, server="").reason == "DISK_FULL"
        row = stored_files.upload(server, user, path.name)
        assert row.stored_chunks < SIZE // 2  # 0, if the disk was full before the first row
        chunks = stored_files.chunks(server, user, row.upload_id)
        assert chunks.items() <= stored_files.crc32c_of_chunks(path, MIB).items()
        disk.free()
        resume = (("facecli-resume", "1"), ("facecli-upload-id", row.upload_id))
        response = stub.UploadVideo(iter(messages[row.stored_chunks :]), metadata=resume)
    assert (response.status, response.upload_id) == ("completed", row.upload_id)
    assert server.sha256(response.file_url, user) == sha256(path)


def test_a_tus_upload_of_unknown_size_fills_the_disk_and_goes_on_when_there_is_room(
    disk: Disk, serve: Serve, file: MakeFile
) -> None:
    address, data = f"127.0.0.1:{free_port()}", file(SIZE // 2).read_bytes()
    server = serve(data=disk.data, options=["--workers", "0", "--http", address])
    disk.fill(leave=SIZE // 4 * MIB)
    metadata = {"upload-defer-length": "1", "upload-metadata": f"filename {encoded('clip.mp4')}"}

    def tus(method: str, path: str, headers: Headers, body: bytes = b"") -> Answer:
        sent = {**headers, "tus-resumable": "1.0.0", "content-type": BODY_TYPE}
        return ask(f"http://{address}", path, method=method, headers=sent, body=body)

    path = str(tus("POST", "/files/", metadata).headers["location"])
    assert tus("PATCH", path, {"upload-offset": "0"}, data[: MIB // 2]).status == 204
    full = tus("PATCH", path, {"upload-offset": str(MIB // 2)}, data[MIB // 2 :])
    assert (full.status, full.reason) == (507, "DISK_FULL")
    offset = int(tus("HEAD", path, {}).headers["upload-offset"])
    assert MIB // 2 <= offset < len(data)
    disk.free()
    rest = {"upload-offset": str(offset), "upload-length": str(len(data))}
    last = tus("PATCH", path, rest, data[offset:])
    assert (last.status, last.headers["upload-offset"]) == (204, str(len(data)))
    stored = ask(f"http://{address}", str(last.headers["upload-file-url"]))
    assert stored.body == data
    server.terminate()
    check_whole(server)


def test_an_upload_without_room_for_its_rows_is_refused_and_resumes_when_there_is_room(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    path = file(SIZE // 2)
    with tmpfs(disk.data / "uploads", size=f"{SIZE}m"):
        server = serve(data=disk.data, options=["--workers", "0"])
        with (
            holding_proxy(server.address, after=SIZE // 4 * MIB) as proxy,
            CommandProcess(*upload_command(path, proxy.address, user), "--retry-for", "1s") as upload,
        ):
            upload.wait_until_stored(MIB)
            disk.fill()
            proxy.release(Direction.SERVER)
            refused = upload.wait()
        assert (refused.code, refused.error["reason"]) == (9, "DISK_FULL")
        assert "database" in refused.error["message"]
        assert MIB <= acknowledged(refused) <= stored_files.upload(server, user, path.name).stored_bytes
        disk.free()
        result = run(*upload_command(path, server.address, user)).object
        assert result["bytes_skipped"] >= acknowledged(refused)
        assert server.sha256(result["file_url"], user) == sha256(path)
        server.terminate()
        check_whole(server)


def test_a_task_without_room_for_its_result_waits_and_completes_when_there_is_room(
    disk: Disk, serve: Serve, face: Path, long_clip: Path
) -> None:
    server = serve(data=disk.data, options=["--workers", "0"])
    files = ("--image", face, "--video", long_clip, "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    server.terminate()
    disk.fill(leave=512 * 1024)
    server.start("--workers", "1")
    server.wait_for_log(f"task interrupted; will be retried task={task_id}")
    assert server.results() == []
    disk.free()
    run("task", "watch", task_id, "--server", server.address)
    eventually(lambda: (len(server.results()), server.work_files()) == (1, []))
    server.terminate()
    check_whole(server)


def test_a_task_completes_after_its_databases_ran_out_of_space(
    disk: Disk, serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(data=disk.data)
    files = ("--image", face, "--video", clip, "--option", "delay=2", "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    with CommandProcess("task", "watch", task_id, "--server", server.address, "--json") as watch:
        watch.wait_for_event(lambda event: event["stage"] == "swapping")
        disk.fill()
        server.wait_for_log("disk is full")
        disk.free()
        assert watch.wait().code == 0
    eventually(lambda: (len(server.results()), server.work_files()) == (1, []))


def _health(server: Server) -> tuple[str, str]:
    """Status of the whole server and of its uploads, of the health service."""
    with grpc.insecure_channel(server.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        whole, uploads = (
            stub.Check(health_pb2.HealthCheckRequest(service=service)).status
            for service in ("", "video.UploadService")
        )
    name = health_pb2.HealthCheckResponse.ServingStatus.Name
    return name(whole), name(uploads)
