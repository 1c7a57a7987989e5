"""Converts uploads and chunks to protobuf messages and back."""

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from facecli.uploads.upload import CHUNK_SIZE, Chunk, FileType, NewUpload, Upload, UploadStatus
from facecli.uploads.view import UploadView
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb


def to_message(upload: Upload) -> pb.Upload:
    return pb.Upload(
        upload_id=upload.id,
        name=upload.name,
        file_type=upload.file_type,
        size=upload.size or 0,
        chunk_size=upload.chunk_size,
        total_chunks=upload.total_chunks,
        status=upload.status,
        stored_bytes=upload.stored_bytes,
        stored_chunks=upload.stored_chunks,
        crc32c=upload.crc32c,
        file_url=upload.file_url if upload.completed else "",
        created_at=timestamp(upload.created_at),
        expires_at=timestamp(upload.expires_at),
    )


def from_message(message: pb.Upload) -> UploadView:
    return UploadView(
        id=message.upload_id,
        name=message.name,
        file_type=FileType(message.file_type),
        size=message.size or None,
        chunk_size=message.chunk_size,
        total_chunks=message.total_chunks,
        status=UploadStatus(message.status),
        stored_bytes=message.stored_bytes,
        stored_chunks=message.stored_chunks,
        crc32c=message.crc32c if message.HasField("crc32c") else None,
        created_at=seconds(message.created_at),
        expires_at=seconds(message.expires_at),
    )


def chunks_to_messages(chunks: Iterable[Chunk]) -> list[pb.StoredChunk]:
    return [pb.StoredChunk(index=chunk.index, size=chunk.size, crc32c=chunk.crc32c) for chunk in chunks]


def chunks_from_messages(messages: Iterable[pb.StoredChunk]) -> list[Chunk]:
    return [Chunk(index=m.index, size=m.size, crc32c=m.crc32c, token="") for m in messages]


def new_upload(request: pb.BeginUploadRequest, *, owner: str) -> NewUpload:
    """Check a request to begin an upload; InvalidInput names what is wrong with it."""
    return NewUpload.checked(
        owner=owner,
        name=request.name,
        file_type=request.file_type,
        size=request.size,
        chunk_size=request.chunk_size or CHUNK_SIZE,
        fingerprint=request.fingerprint if request.HasField("fingerprint") else None,
    )


def acknowledgement(upload: Upload, chunk: Chunk) -> pb.StreamUploadResponse:
    return pb.StreamUploadResponse(
        upload_id=upload.id,
        chunk_index=chunk.index,
        stored_bytes=upload.stored_bytes,
        status=upload.status,
        file_url=upload.file_url if upload.completed else "",
        crc32c=upload.crc32c,
    )


def upload_response(upload: Upload) -> video_pb.UploadResponse:
    """The response to the app: `completed` with the file_url, or `incomplete` with the progress."""
    return video_pb.UploadResponse(
        status=upload.status,
        message="stored"
        if upload.completed
        else f"{upload.stored_chunks} of {upload.total_chunks} chunks stored",
        file_url=upload.file_url if upload.completed else "",
        uploaded_chunks=upload.stored_chunks,
        total_chunks=upload.total_chunks,
        upload_id=upload.id,
        stored_bytes=upload.stored_bytes,
        crc32c=upload.crc32c,
    )


def seconds(stamp: Timestamp) -> float:
    """Convert to seconds since the epoch."""
    return stamp.ToNanoseconds() / 1e9


def timestamp(moment: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(int(moment * 1e9))
    return stamp
