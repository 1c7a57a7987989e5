"""A full disk: refused with words, and gone on with when there is room."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from facecli.chaos.events import Direction
from facecli.wire.errors import from_rpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files as kept
from tests.support.e2e.disks import Filling, tmpfs
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs

pytestmark = needs("tmpfs")

SIZE = 32  # MiB


class Disk(Filling):
    """A small file system, and what fills it to its last byte."""

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
    kept = run(*send, face).object["file_url"]
    refused = run(*send, file(SIZE), expect=9)
    assert refused.error["reason"] == "DISK_FULL"
    assert "free some space" in refused.error["hint"]
    disk.fill()
    assert run(*send, clip, expect=9).error["reason"] == "DISK_FULL"
    assert server.sha256(kept, user) == sha256(face)
    assert server.uploads(user) == {face.name: face.stat().st_size}
    disk.empty()
    assert server.sha256(run(*send, clip).object["file_url"], user) == sha256(clip)


def test_an_upload_that_was_begun_goes_on_while_the_disk_is_full_because_its_room_was_taken_first(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.data, options=["--workers", "0"]), file(SIZE // 2)
    command = ("upload", path, "--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
    with Running(*command, "--progress", "json", "--retry-for", "1s") as upload:
        upload.stored(0)
        disk.fill()
        done = upload.done()
    if done.code:
        # The rows had no room: refused, nothing that was acknowledged is lost.
        assert (done.code, done.error["reason"]) == (9, "DISK_FULL")
        disk.empty()
        done = run(*command)
    assert server.sha256(done.object["file_url"], user) == sha256(path)


def test_an_upload_of_the_app_whose_size_nobody_knew_fills_the_disk_and_goes_on_when_there_is_room(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    """UploadVideo without `file_size`: no room was taken first, and the disk is full in the middle."""
    server, path = serve(data=disk.data, options=["--workers", "0"]), file(SIZE // 2)
    disk.fill(but=SIZE // 4 * MIB)
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
        row = kept.upload(server, user, path.name)
        assert row.stored_chunks < SIZE // 2  # none, if it was full before one was remembered
        there = kept.chunks(server, user, row.upload_id)
        assert there.items() <= kept.crc32c_of_chunks(path, MIB).items()
        disk.empty()
        going_on = (("facecli-resume", "1"), ("facecli-upload-id", row.upload_id))
        answer = stub.UploadVideo(iter(messages[row.stored_chunks :]), metadata=going_on)
    assert (answer.status, answer.upload_id) == ("completed", row.upload_id)
    assert server.sha256(answer.file_url, user) == sha256(path)


def test_an_upload_whose_bytes_have_room_and_whose_rows_have_none_is_refused_and_goes_on_when_there_is(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    path = file(SIZE // 2)
    with tmpfs(disk.data / "uploads", size=f"{SIZE}m"):
        server = serve(data=disk.data, options=["--workers", "0"])
        to = ("--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
        with (
            held_line(server.address, after=SIZE // 4 * MIB) as relay,
            Running(
                "upload", path, *to, "--server", relay.address, "--progress", "json", "--retry-for", "1s"
            ) as upload,
        ):
            upload.stored(MIB)
            disk.fill()
            relay.release(Direction.SERVER)
            refused = upload.done()
        assert (refused.code, refused.error["reason"]) == (9, "DISK_FULL")
        assert "database" in refused.error["message"]
        assert MIB <= kept.acknowledged(refused) <= kept.upload(server, user, path.name).stored_bytes
        disk.empty()
        done = run("upload", path, *to).object
        assert done["bytes_skipped"] >= kept.acknowledged(refused)
        assert server.sha256(done["file_url"], user) == sha256(path)
        server.terminate()
        check_whole(server)


def test_a_task_that_has_no_room_for_its_result_waits_and_completes_when_there_is(
    disk: Disk, serve: Serve, face: Path, long_clip: Path
) -> None:
    server = serve(data=disk.data, options=["--workers", "0"])
    files = ("--image", face, "--video", long_clip, "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    server.terminate()
    disk.fill(but=512 * 1024)
    server.start("--workers", "1")
    server.heard(f"task {task_id} waits")
    assert server.results() == []
    disk.empty()
    run("task", "watch", task_id, "--server", server.address)
    assert (len(server.results()), server.leftovers()) == (1, [])
    server.terminate()
    check_whole(server)


def test_a_task_whose_databases_have_no_room_either_completes_when_there_is(
    disk: Disk, serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(data=disk.data, complains=True)
    files = ("--image", face, "--video", clip, "--option", "delay=2", "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    with Running("task", "watch", task_id, "--server", server.address, "--json") as watch:
        watch.event(lambda said: said["stage"] == "swapping")
        disk.fill()
        server.heard("disk is full")
        disk.empty()
        assert watch.done().code == 0
    assert (len(server.results()), server.leftovers()) == (1, [])
