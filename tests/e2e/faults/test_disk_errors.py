"""Disk errors: no byte is acknowledged that is not on the disk, and the upload completes after a recovery."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

import grpc
import pytest

from facecli.chaos.events import Direction
from facecli.core.checksums import crc32c
from facecli.wire.errors import from_rpc
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files
from tests.support.e2e.disks import FailingDisk
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import CommandProcess, CommandResult, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace
from tests.support.e2e.uploads import acknowledged, upload_command
from tests.support.eventually import eventually

SIZE = 5  # MiB, and as many chunks
LARGE = 16  # MiB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    """A disk for the bytes of uploads but not for rows; its parent is the data directory of the server."""
    (tmp_path / "data").mkdir(mode=0o700)
    with FailingDisk(tmp_path / "image", tmp_path / "data" / "uploads") as failing:
        yield failing


@needs("strace")
@pytest.mark.parametrize("of", ["bytes", "rows"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("when", [1, 2])
def test_an_upload_resumes_from_acknowledged_bytes_after_a_disk_error(
    server: Server, user: str, file: MakeFile, call: str, of: str, when: int
) -> None:
    path = file(SIZE)
    upload_id = stored_files.begin(server, user, path, name=path.name, chunk_size=MIB)
    target = stored_files.data_file(server, upload_id) if of == "bytes" else server.data / "facecli.db-wal"
    with ExitStack() as running:
        with Strace(server, call, inject="error=EIO", when=when, path=target):
            upload = running.enter_context(CommandProcess(*upload_command(path, server.address, user)))
            reason = upload.wait_until_retrying()["reason"]
        result = upload.wait()
    assert "cannot be read or written" in reason
    before = takewhile(lambda event: event["event"] != "waiting", result.events)
    if when == 1:
        assert {event["stored"] for event in before} <= {0}, "acknowledged without a flush and a commit"
    assert result.code == 0
    assert result.object["upload_id"] == upload_id
    assert server.sha256(result.object["file_url"], user) == sha256(path)


@needs("strace")
def test_after_a_failed_flush_chunks_are_read_back_before_the_next_acknowledgement(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(LARGE)
    upload_id = stored_files.begin(server, user, path, name=path.name, chunk_size=MIB)
    data_file = stored_files.data_file(server, upload_id)
    with (
        holding_proxy(server.address, after=LARGE // 2 * MIB) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user), "--retry-for", "0s") as upload,
    ):
        upload.wait_until_stored(MIB)
        with Strace(server, "fdatasync", inject="error=EIO", when=1, path=data_file):
            proxy.release(Direction.SERVER)
            broken = upload.wait()
    assert (broken.code, acknowledged(broken) < LARGE * MIB) == (7, True), broken
    with data_file.open("r+b") as file_on_disk:
        file_on_disk.write(bytes(MIB))  # the disk has lost the first chunk too
    before = stored_files.chunks(server, user, upload_id)
    assert (
        stored_files.begin(server, user, path, name=path.name, chunk_size=MIB, create_file=False) == upload_id
    )
    assert stored_files.chunks(server, user, upload_id) == {index: before[index] for index in before if index}
    result = run(*upload_command(path, server.address, user)).object
    assert (result["upload_id"], result["retries"]) == (upload_id, 0)
    assert result["bytes_skipped"] == (len(before) - 1) * MIB
    assert server.sha256(result["file_url"], user) == sha256(path)


@needs("ext4")
def test_chunks_lost_in_a_failed_flush_are_sent_again(
    disk: FailingDisk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(LARGE)
    upload_id = stored_files.begin(server, user, path, name=path.name, chunk_size=MIB)
    disk.weaken(stored_files.data_file(server, upload_id))
    with (
        holding_proxy(server.address, after=LARGE // 2 * MIB) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user), "--retry-for", "1s") as upload,
    ):
        upload.wait_until_stored(MIB)
        disk.fail()
        proxy.release(Direction.SERVER)
        broken = upload.wait()
    assert broken.error["reason"] in {"DISK_FULL", "UPLOAD_INTERRUPTED"}
    disk.recover()
    result = upload_again(path, server, user).object
    assert result["upload_id"] == upload_id
    assert acknowledged(broken) <= result["bytes_skipped"] < LARGE * MIB
    check_on_disk(server, disk, user, result["file_url"], path)


@needs("ext4")
def test_no_parallel_chunk_is_acknowledged_after_another_flush_lost_it(
    disk: FailingDisk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(LARGE)
    upload_id = stored_files.begin(server, user, path, name=path.name, chunk_size=MIB)
    disk.weaken(stored_files.data_file(server, upload_id))
    data = path.read_bytes()
    with grpc.insecure_channel(server.address) as channel, ThreadPoolExecutor(LARGE) as pool:
        stub = pb_grpc.UploadServiceStub(channel)

        def send(index: int) -> str:
            part = data[index * MIB : (index + 1) * MIB]
            request = pb.UploadChunkRequest(
                user_id=user, upload_id=upload_id, chunk_index=index, data=part, crc32c=crc32c(part)
            )
            try:
                stub.UploadChunk(request)
            except grpc.RpcError as error:
                return from_rpc(error, server="").reason
            return "OK"

        assert send(0) == "OK"
        disk.fail()
        outcomes = set(pool.map(send, range(1, LARGE)))
        disk.recover()
    assert outcomes & {"STORAGE_FAILED", "DISK_FULL"}
    assert outcomes <= {"STORAGE_FAILED", "DISK_FULL", "OK"}  # the disk may have had a little room
    result = upload_again(path, server, user).object
    assert result["upload_id"] == upload_id
    check_on_disk(server, disk, user, result["file_url"], path)


def upload_again(path: Path, server: Server, user: str) -> CommandResult:
    """Upload to a disk that may still report a late error, after which a client waits half a minute."""

    def upload() -> CommandResult | None:
        with CommandProcess(*upload_command(path, server.address, user), "--retry-for", "1s") as command:
            result = command.wait()
        return result if result.code == 0 else None

    result = eventually(upload)
    assert result
    return result


def check_on_disk(server: Server, disk: FailingDisk, user: str, url: str, path: Path) -> None:
    server.terminate()
    disk.drop_cache()
    check_whole(server)
    server.start()
    assert server.sha256(url, user) == sha256(path)
