"""The disk fails: nothing is acknowledged that is not on it, and the upload ends well when it is mended."""

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
from tests.support.e2e import stored_files as kept
from tests.support.e2e.disks import FailingDisk
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace

SIZE = 5  # MiB, and as many chunks
LARGE = 16


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    """Where the bytes of uploads go, and no rows; the server's data directory is its parent."""
    (tmp_path / "data").mkdir(mode=0o700)
    with FailingDisk(tmp_path / "below", tmp_path / "data" / "uploads") as failing:
        yield failing


@needs("strace")
@pytest.mark.parametrize("of", ["bytes", "rows"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("when", [1, 2])
def test_an_upload_that_meets_an_error_of_the_disk_is_told_and_goes_on_from_what_was_acknowledged(
    server: Server, user: str, file: MakeFile, call: str, of: str, when: int
) -> None:
    path = file(SIZE)
    upload_id = kept.begin(server, user, path, name=path.name, chunk_size=MIB)
    at = kept.bytes_of(server, upload_id) if of == "bytes" else server.data / "facecli.db-wal"
    with ExitStack() as running:
        with Strace(server, call, what="error=EIO", when=when, at=at):
            upload = running.enter_context(Running(*command(path, server.address, user)))
            told = upload.event(lambda said: said.get("event") == "waiting")["reason"]
        done = upload.done()
    assert "cannot be read or written" in told
    before = takewhile(lambda said: said["event"] != "waiting", done.events)
    if when == 1:
        assert {said["stored"] for said in before} <= {0}, "acknowledged without a flush and a commit"
    assert done.code == 0
    assert done.object["upload_id"] == upload_id
    assert server.sha256(done.object["file_url"], user) == sha256(path)


@needs("strace")
def test_after_a_failed_flush_the_file_is_read_back_before_anything_is_acknowledged_again(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(LARGE)
    upload_id = kept.begin(server, user, path, name=path.name, chunk_size=MIB)
    there = kept.bytes_of(server, upload_id)
    with (
        held_line(server.address, after=LARGE // 2 * MIB) as relay,
        Running(*command(path, relay.address, user), "--retry-for", "0s") as upload,
    ):
        upload.stored(MIB)
        with Strace(server, "fdatasync", what="error=EIO", when=1, at=there):
            relay.release(Direction.SERVER)
            broken = upload.done()
    assert (broken.code, kept.acknowledged(broken) < LARGE * MIB) == (7, True), broken
    with there.open("r+b") as bytes_:
        bytes_.write(bytes(MIB))  # the first chunk, which the disk has lost as well
    before = kept.chunks(server, user, upload_id)
    assert kept.begin(server, user, path, name=path.name, chunk_size=MIB, writes=False) == upload_id
    assert kept.chunks(server, user, upload_id) == {index: before[index] for index in before if index}
    done = run(*command(path, server.address, user)).object
    assert (done["upload_id"], done["retries"]) == (upload_id, 0)
    assert done["bytes_skipped"] == (len(before) - 1) * MIB
    assert server.sha256(done["file_url"], user) == sha256(path)


@needs("ext4")
def test_what_the_disk_lost_when_a_flush_failed_is_sent_again(
    disk: FailingDisk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(LARGE)
    upload_id = kept.begin(server, user, path, name=path.name, chunk_size=MIB)
    disk.weaken(kept.bytes_of(server, upload_id))
    with (
        held_line(server.address, after=LARGE // 2 * MIB) as relay,
        Running(*command(path, relay.address, user), "--retry-for", "1s") as upload,
    ):
        upload.stored(MIB)
        disk.fail()
        relay.release(Direction.SERVER)
        broken = upload.done()
    assert broken.error["reason"] in {"DISK_FULL", "UPLOAD_INTERRUPTED"}
    disk.mend()
    done = run(*command(path, server.address, user)).object
    assert done["upload_id"] == upload_id
    assert kept.acknowledged(broken) <= done["bytes_skipped"] < LARGE * MIB
    check_on_disk(server, disk, user, done["file_url"], path)


@needs("ext4")
def test_of_chunks_sent_side_by_side_none_is_acknowledged_that_the_flush_of_another_has_lost(
    disk: FailingDisk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(LARGE)
    upload_id = kept.begin(server, user, path, name=path.name, chunk_size=MIB)
    disk.weaken(kept.bytes_of(server, upload_id))
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
        said = set(pool.map(send, range(1, LARGE)))
        disk.mend()
    assert said & {"STORAGE_FAILED", "DISK_FULL"}
    assert said <= {"STORAGE_FAILED", "DISK_FULL", "OK"}  # the disk may have had a little room
    done = run(*command(path, server.address, user)).object
    assert done["upload_id"] == upload_id
    check_on_disk(server, disk, user, done["file_url"], path)


@needs("strace")
def command(path: Path, address: str, user: str) -> tuple[object, ...]:
    to = ("--server", address, "--user", user, "--chunk-size", MIB)
    return ("upload", path, *to, "--progress", "json", "--json")


def check_on_disk(server: Server, disk: FailingDisk, user: str, url: str, path: Path) -> None:
    server.terminate()
    disk.forget()
    check_whole(server)
    server.start()
    assert server.sha256(url, user) == sha256(path)
