"""Where an upload comes from and where it goes: from any machine, at a wanted rate, into one directory."""

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
from tests.support.e2e.fault_proxy import command, held
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace

SIZE = 8  # MiB
CHANGES = "openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir"
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
PATHS = re.compile(r'(?:<([^<>]*)>, )?"([^"]*)"')  # perhaps in the folder of a descriptor
DEVICES = ("/dev/null", "/dev/tty")
ESCAPES = [
    "../../escaped.mp4",
    "/tmp/escaped.mp4",
    "..",
    "a/../../escaped.mp4",
    "escaped\0.mp4",
    "..\\escaped.mp4",
]


def test_an_upload_goes_on_from_another_machine_that_has_the_same_file(
    server: Server, user: str, file: MakeFile, tmp_path: Path
) -> None:
    path = file(SIZE)
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command(path, line.address, user)) as first,
    ):
        known = first.stored(2 * MIB)
        first.kill()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = shutil.copyfile(path, elsewhere / path.name)
    home = {name: str(elsewhere) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    done = run(*command(Path(copy.name), server.address, user), environment=home, cwd=elsewhere).object
    assert done["bytes_skipped"] >= known
    assert done["bytes_sent"] + done["bytes_skipped"] == SIZE * MIB
    assert server.sha256(done["file_url"], user) == sha256(path)


def test_an_upload_takes_no_more_of_the_line_than_it_may(server: Server, user: str, file: MakeFile) -> None:
    path = file(SIZE // 2)
    done = run(*command(path, server.address, user), "--limit-rate", "2MB").object
    # The first frame leaves at once.
    assert done["seconds"] >= (SIZE // 2 - 1) * MIB / 2_000_000
    assert server.sha256(done["file_url"], user) == sha256(path)


@needs("strace")
def test_nothing_is_written_outside_the_data_directory_whatever_a_client_says(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE // 2)
    with Strace(server, CHANGES, what="delay_enter=1") as strace:
        for name in ESCAPES:
            ask_for(server, name)
        run(*command(path, server.address, user))
        run(*command(path, server.address, "../../" + user))
    written = [where for line in strace.calls for where in changed(line)]
    assert any(where.startswith(f"{server.data}/uploads/") for where in written), "it saw nothing"
    outside = {where for where in written if not Path(where).is_relative_to(server.data)}
    assert outside <= set(DEVICES)
    names = [part for place in server.data.rglob("*") for part in place.parts[len(server.data.parts) :]]
    assert not [name for name in names if "escaped" in name or path.stem in name]


def ask_for(server: Server, name: str) -> None:
    """Use a name in every place where a client says one; all of it is refused."""
    begin = pb.BeginUploadRequest(user_id=name, name=name, file_type="video", size=10, chunk_size=10)
    frame = video_pb.UploadRequest(user_id=name, upload_id=name, file_name=name, chunk=b"0123456789")
    first = video_pb.UploadRequest(
        user_id=name, file_name=name, chunk=b"0123456789", total_chunks=1, file_type="video"
    )
    going_on = (("facecli-resume", "1"), ("facecli-upload-id", "".join(filter(str.isprintable, name))))
    with grpc.insecure_channel(server.address) as channel:
        uploads, videos = pb_grpc.UploadServiceStub(channel), video_pb_grpc.VideoServiceStub(channel)
        for call in (
            lambda: uploads.BeginUpload(begin),
            lambda: list(uploads.StreamUpload(iter([frame]))),
            lambda: uploads.UploadChunk(
                pb.UploadChunkRequest(user_id=name, upload_id=name, data=b"0123456789")
            ),
            lambda: uploads.CancelUpload(pb.CancelUploadRequest(user_id=name, upload_id=name)),
            lambda: videos.UploadVideo(iter([first]), metadata=going_on),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call()
            assert refused.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


def changed(line: str) -> list[str]:
    """The paths that a call makes, changes or removes."""
    call = line.split("(")[0].split()[-1]
    if call == "openat" and not WRITES.search(line):
        return []
    return [str(Path(folder or "/", path)) for folder, path in PATHS.findall(line)]
