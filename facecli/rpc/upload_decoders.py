"""Decoders of upload messages: serialized protobuf in, frames and chunks of an upload session out."""

from facecli.api.in_order_session import FileChunk
from facecli.api.upload_session import UploadFrame
from facecli.uploads.upload import Frame, Upload
from facecli.wire import frames
from facecli.wire.generated.upload_service_pb2 import UploadChunkRequest


def stream_frame(data: bytes) -> UploadFrame:
    """A message of StreamUpload."""
    message, payload = frames.decode(data)
    return UploadFrame(
        upload_id=message.upload_id, user=message.user_id, frame=frames.frame(message, payload)
    )


def file_chunk(data: bytes) -> FileChunk:
    """A message of UploadVideo."""
    message, payload = frames.decode(data)
    return FileChunk(
        upload_id=message.upload_id,
        user=message.user_id,
        name=message.file_name,
        file_type=message.file_type,
        total_chunks=message.total_chunks,
        size=message.file_size,
        index=message.chunk_index,
        data=payload.data,
        crc32c=payload.crc32c,
        chunk_crc32c=message.chunk_crc32c if message.HasField("chunk_crc32c") else None,
    )


def single_chunk(request: UploadChunkRequest, upload: Upload) -> UploadFrame:
    """A request of UploadChunk, whose chunk lies where this upload's chunk size puts it."""
    frame = Frame(
        offset=request.chunk_index * upload.chunk_size,
        data=request.data,
        chunk_crc32c=request.crc32c if request.HasField("crc32c") else None,
        ends_chunk=True,
    )
    return UploadFrame(upload_id=upload.id, user=request.user_id, frame=frame)
