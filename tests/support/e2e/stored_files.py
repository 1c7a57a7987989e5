"""The uploads of a server as its API reports them and as they are on its disk."""

from pathlib import Path

import grpc

from facecli.core.checksums import crc32c
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from facecli.wire.generated.video_service_pb2 import UploadRequest
from tests.support.e2e.files import MIB
from tests.support.e2e.server import Server


def begin(
    server: Server, user: str, path: Path, *, name: str, chunk_size: int, create_file: bool = True
) -> str:
    """Begin the upload that `facecli upload` of the file will resume; return its id.

    `create_file` sends a byte that completes no chunk, because an upload has no file before its first byte.
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
        if create_file:
            list(stub.StreamUpload(iter([UploadRequest(upload_id=upload_id, user_id=user, chunk=data[:1])])))
        return str(upload_id)


def uploads(server: Server, user: str) -> list[pb.Upload]:
    """The uploads of a user, newest first."""
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.UploadServiceStub(channel)
        return list(stub.ListUploads(pb.ListUploadsRequest(user_id=user)).uploads)


def upload(server: Server, user: str, name: str) -> pb.Upload:
    """The only upload of that name."""
    (only,) = [upload for upload in uploads(server, user) if upload.name == name]
    return only


def chunks(server: Server, user: str, upload_id: str) -> dict[int, int]:
    """The CRC-32C of each stored chunk, by index."""
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.UploadServiceStub(channel)
        response = stub.GetUpload(pb.GetUploadRequest(user_id=user, upload_id=upload_id))
    return {chunk.index: chunk.crc32c for chunk in response.chunks}


def data_file(server: Server, upload_id: str) -> Path:
    """The file of an upload, which exists from its first byte on."""
    return server.data / "uploads" / upload_id / "data"


def check_agreement(server: Server, user: str) -> None:
    """Assert that every stored chunk has its bytes, every file its upload, and a complete file its size."""
    rows = {upload.upload_id: upload for upload in uploads(server, user)}
    on_disk = {path.name for path in (server.data / "uploads").glob("*")}
    assert {upload_id for upload_id, row in rows.items() if row.stored_bytes} <= on_disk <= set(rows)
    for upload_id, row in rows.items():
        if upload_id not in on_disk:
            continue
        length = data_file(server, upload_id).stat().st_size
        assert length == row.size if row.status == "completed" else length >= row.stored_bytes


def crc32c_of_chunks(path: Path, chunk_size: int) -> dict[int, int]:
    data = path.read_bytes()
    starts = range(0, len(data), chunk_size)
    return {index: crc32c(data[start : start + chunk_size]) for index, start in enumerate(starts)}
