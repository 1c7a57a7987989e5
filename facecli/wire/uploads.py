"""Converts uploads and chunks to protobuf messages and back."""

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from facecli.core.errors import UnexpectedResponse
from facecli.uploads.stage_times import StageTimes
from facecli.uploads.upload import CHUNK_SIZE, Chunk, NewUpload, Upload, UploadStatus
from facecli.uploads.view import UploadAcknowledgement, UploadView
from facecli.wire import responses
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb

MAX_STREAM_US = 366 * 24 * 3600 * 1_000_000  # a year
MAX_QUEUED = 1000  # frames or chunks that wait at the same time


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
    """The client's view; UnexpectedResponse for a message that no server of this protocol sends."""
    if not message.status:
        raise UnexpectedResponse("an upload without a status")
    size = responses.amount(message.size, "size")
    stored = responses.amount(message.stored_bytes, "number of stored bytes")
    if size and stored > size:
        raise UnexpectedResponse(f"{stored} stored bytes of an upload of {size}")
    return UploadView(
        id=responses.identifier(message.upload_id, "upload ID"),
        name=responses.text(message.name, limit=responses.MAX_IDENTIFIER),
        file_type=responses.word(message.file_type),
        size=size or None,
        chunk_size=responses.amount(message.chunk_size, "chunk size"),
        total_chunks=responses.amount(message.total_chunks, "number of chunks"),
        status=responses.word(message.status),
        stored_bytes=stored,
        stored_chunks=responses.amount(message.stored_chunks, "number of stored chunks"),
        crc32c=message.crc32c if message.HasField("crc32c") else None,
        created_at=responses.seconds(message.created_at, "time"),
        expires_at=responses.seconds(message.expires_at, "time"),
    )


def page_from_message(message: pb.ListUploadsResponse) -> tuple[list[UploadView], str]:
    """The uploads of a page, and the token of the next one."""
    return [from_message(upload) for upload in message.uploads], responses.page_token(message.next_page_token)


def begun_from_message(message: pb.BeginUploadsResponse) -> list[tuple[UploadView, list[Chunk]]]:
    """Each upload with its stored chunks."""
    return [(from_message(begun.upload), chunks_from_messages(begun.chunks)) for begun in message.uploads]


def acknowledgement_from_message(message: pb.StreamUploadResponse) -> UploadAcknowledgement:
    return UploadAcknowledgement(
        upload_id=responses.identifier(message.upload_id, "upload ID"),
        chunk_index=responses.amount(message.chunk_index, "chunk index"),
        stored_bytes=responses.amount(message.stored_bytes, "number of stored bytes"),
        completed=message.status == UploadStatus.COMPLETED,
        crc32c=message.crc32c if message.HasField("crc32c") else None,
        stages=stages_from_message(message.stages) if message.HasField("stages") else None,
    )


def chunks_to_messages(chunks: Iterable[Chunk]) -> list[pb.StoredChunk]:
    return [pb.StoredChunk(index=chunk.index, size=chunk.size, crc32c=chunk.crc32c) for chunk in chunks]


def chunks_from_messages(messages: Iterable[pb.StoredChunk]) -> list[Chunk]:
    return [
        Chunk(
            index=responses.amount(m.index, "chunk index"),
            size=responses.amount(m.size, "chunk size"),
            crc32c=m.crc32c,
            token="",
        )
        for m in messages
    ]


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


def acknowledgement(upload: Upload, chunk: Chunk, stages: StageTimes) -> pb.StreamUploadResponse:
    return pb.StreamUploadResponse(
        upload_id=upload.id,
        chunk_index=chunk.index,
        stored_bytes=upload.stored_bytes,
        status=upload.status,
        file_url=upload.file_url if upload.completed else "",
        crc32c=upload.crc32c,
        stages=stages_to_message(stages),
    )


def stages_to_message(times: StageTimes) -> pb.StageTimes:
    return pb.StageTimes(**{f"{name}_us": round(getattr(times, name) * 1e6) for name in StageTimes.__slots__})


def stages_from_message(message: pb.StageTimes) -> StageTimes:
    """Times that are possible: they are only shown, so a wrong one ends no upload."""
    elapsed = responses.clamped(message.elapsed_us, 0, MAX_STREAM_US)
    limits = {"frames_queued": MAX_QUEUED * elapsed, "chunks_queued": MAX_QUEUED * elapsed}
    return StageTimes(
        **{
            name: responses.clamped(getattr(message, f"{name}_us"), 0, limits.get(name, elapsed)) / 1e6
            for name in StageTimes.__slots__
        }
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
