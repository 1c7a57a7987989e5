"""Uploads from another machine, at a limited rate, and with names that try to escape the data directory."""

import re
import shutil
from pathlib import Path

import grpc
import pytest

from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace
from tests.support.e2e.uploads import upload_command

SIZE = 8  # MiB
CHANGES = "openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir"
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
PATHS = re.compile(r'(?:<([^<>]*)>, )?"([^"]*)"')  # the first group is the folder of a descriptor, if any
DEVICES = ("/dev/null", "/dev/tty")
ESCAPES = [
    "../../escaped.mp4",
    "/tmp/escaped.mp4",
    "..",
    "a/../../escaped.mp4",
    "escaped\0.mp4",
]
ORDINARY = "..\\escaped.mp4"  # a backslash is a character like others


def test_an_upload_resumes_from_another_machine_with_the_same_file(
    server: Server, user: str, file: MakeFile, tmp_path: Path
) -> None:
    path = file(SIZE)
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as first,
    ):
        known = first.wait_until_stored(2 * MIB)
        first.kill()
    other_home = tmp_path / "elsewhere"
    other_home.mkdir()
    copy = shutil.copyfile(path, other_home / path.name)
    home = {name: str(other_home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    result = run(
        *upload_command(Path(copy.name), server.address, user), environment=home, cwd=other_home
    ).object
    assert result["bytes_skipped"] >= known
    assert result["bytes_sent"] + result["bytes_skipped"] == SIZE * MIB
    assert server.sha256(result["file_url"], user) == sha256(path)


def test_an_upload_keeps_to_its_rate_limit(server: Server, user: str, file: MakeFile) -> None:
    path = file(SIZE // 2)
    result = run(*upload_command(path, server.address, user), "--limit-rate", "2MB").object
    # The first frame is sent at once.
    assert result["seconds"] >= (SIZE // 2 - 1) * MIB / 2_000_000
    assert server.sha256(result["file_url"], user) == sha256(path)


@needs("strace")
def test_no_name_makes_the_server_write_outside_the_data_directory(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE // 2)
    with Strace(server, CHANGES, inject="delay_enter=1") as strace:
        for name in ESCAPES:
            use_in_every_call(server, name)
        upload_named(server, ORDINARY)
        run(*upload_command(path, server.address, user))
        run(*upload_command(path, server.address, "../../" + user))
    written = [path for line in strace.calls for path in changed_paths(line)]
    assert any(path.startswith(f"{server.data}/uploads/") for path in written), "strace saw nothing"
    outside = {path for path in written if not Path(path).is_relative_to(server.data)}
    assert outside <= set(DEVICES)
    names = [part for path in server.data.rglob("*") for part in path.parts[len(server.data.parts) :]]
    assert not [name for name in names if "escaped" in name or path.stem in name]


def use_in_every_call(server: Server, name: str) -> None:
    """Send a name in every field that takes one and assert that each call is refused."""
    begin = pb.BeginUploadRequest(user_id=name, name=name, file_type="video", size=10, chunk_size=10)
    frame = video_pb.UploadRequest(user_id=name, upload_id=name, file_name=name, chunk=b"0123456789")
    first = video_pb.UploadRequest(
        user_id=name, file_name=name, chunk=b"0123456789", total_chunks=1, file_type="video"
    )
    resume = (("facecli-resume", "1"), ("facecli-upload-id", "".join(filter(str.isprintable, name))))
    with grpc.insecure_channel(server.address) as channel:
        uploads, videos = pb_grpc.UploadServiceStub(channel), video_pb_grpc.VideoServiceStub(channel)
        for call in (
            lambda: uploads.BeginUpload(begin),
            lambda: list(uploads.StreamUpload(iter([frame]))),
            lambda: uploads.UploadChunk(
                pb.UploadChunkRequest(user_id=name, upload_id=name, data=b"0123456789")
            ),
            lambda: uploads.CancelUpload(pb.CancelUploadRequest(user_id=name, upload_id=name)),
            lambda: videos.UploadVideo(iter([first]), metadata=resume),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call()
            assert refused.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


def upload_named(server: Server, name: str) -> None:
    first = video_pb.UploadRequest(
        user_id=name, file_name=name, chunk=b"0123456789", total_chunks=1, file_type="video"
    )
    with grpc.insecure_channel(server.address) as channel:
        assert video_pb_grpc.VideoServiceStub(channel).UploadVideo(iter([first])).status == "completed"


def changed_paths(line: str) -> list[str]:
    """The paths that a system call creates, changes or removes."""
    call = line.split("(")[0].split()[-1]
    if call == "openat" and not WRITES.search(line):
        return []
    return [str(Path(folder or "/", path)) for folder, path in PATHS.findall(line)]
