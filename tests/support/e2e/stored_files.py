"""What a server keeps of uploads: told by its rows, and found on its disk."""

from pathlib import Path

import grpc

from facecli.core.checksums import crc32c
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from facecli.wire.generated.video_service_pb2 import UploadRequest
from tests.support.e2e.files import MIB
from tests.support.e2e.process import Done
from tests.support.e2e.server import Server


def begin(server: Server, user: str, path: Path, *, name: str, chunk_size: int, writes: bool = True) -> str:
    """Begin the upload that `facecli upload` of the file will go on with; its id.

    Its bytes have a file then, unless nobody `writes`.
    """
    data = path.read_bytes()
    request = pb.BeginUploadRequest(
        user_id=user,
        name=name,
        file_type="video",
        size=len(data),
        chunk_size=chunk_size,
        fingerprint=crc32c(data[-MIB:], crc32c(data[:MIB])),
    )
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.UploadServiceStub(channel)
        upload_id = stub.BeginUpload(request).upload.upload_id
        if writes:  # one who stores nothing: with that the file is made
            list(stub.StreamUpload(iter([UploadRequest(upload_id=upload_id, user_id=user, chunk=data[:1])])))
        return str(upload_id)


def uploads(server: Server, user: str) -> list[pb.Upload]:
    """The newest first."""
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.UploadServiceStub(channel)
        return list(stub.ListUploads(pb.ListUploadsRequest(user_id=user)).uploads)


def upload(server: Server, user: str, name: str) -> pb.Upload:
    """The only one of that name."""
    (found,) = [upload for upload in uploads(server, user) if upload.name == name]
    return found


def chunks(server: Server, user: str, upload_id: str) -> dict[int, int]:
    """The stored chunks and their crc32c."""
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.UploadServiceStub(channel)
        answer = stub.GetUpload(pb.GetUploadRequest(user_id=user, upload_id=upload_id))
    return {chunk.index: chunk.crc32c for chunk in answer.chunks}


def bytes_of(server: Server, upload_id: str) -> Path:
    """The file of an upload, which is made with its first byte."""
    return server.data / "uploads" / upload_id / "data"


def check_agreement(server: Server, user: str) -> None:
    """No stored chunk without its bytes, no bytes without their upload; a complete file has its length."""
    rows = {upload.upload_id: upload for upload in uploads(server, user)}
    there = {path.name for path in (server.data / "uploads").glob("*")}
    assert {upload_id for upload_id, row in rows.items() if row.stored_bytes} <= there <= set(rows)
    for upload_id, row in rows.items():
        if upload_id not in there:
            continue
        length = bytes_of(server, upload_id).stat().st_size
        assert length == row.size if row.status == "completed" else length >= row.stored_bytes


def acknowledged(done: Done) -> int:
    """The bytes of which a client was told that they are stored."""
    return max((int(said["stored"]) for said in done.events if said.get("event") == "stored"), default=0)


def crc32c_of_chunks(path: Path, chunk_size: int) -> dict[int, int]:
    data = path.read_bytes()
    starts = range(0, len(data), chunk_size)
    return {number: crc32c(data[at : at + chunk_size]) for number, at in enumerate(starts)}
