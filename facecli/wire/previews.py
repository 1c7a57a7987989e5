"""Converts requests for previews, and the pictures, to protobuf messages and back."""

from facecli.core.checksums import crc32c
from facecli.core.errors import BytesDiffer, InvalidInput, UnexpectedResponse
from facecli.tasks.previews.request import PreviewRequest
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.parts import duration, microseconds
from facecli.wire.provenance import terms_from_message, to_terms_message

MAX_IMAGE_SIZE = 4 * 1024 * 1024  # bytes; 8 frames have about 1 MB
_JPEG = b"\xff\xd8\xff"


def to_request(request: PreviewRequest) -> pb.PreviewTaskRequest:
    return pb.PreviewTaskRequest(
        user_id=request.owner,
        image_url=request.image_url,
        video_url=request.video_url,
        engine=request.engine,
        options=dict(request.options),
        at=[duration(time) for time in request.at],
        terms=to_terms_message(request.terms),
    )


def from_request(message: pb.PreviewTaskRequest, *, owner: str) -> PreviewRequest:
    """InvalidInput for a time that a Duration may not hold."""
    try:
        at = [microseconds(time, "at") for time in message.at]
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    return PreviewRequest(
        owner=owner,
        image_url=message.image_url,
        video_url=message.video_url,
        engine=message.engine,
        options=dict(message.options),
        at=at,
        terms=terms_from_message(message.terms, by=owner),
    )


def to_message(image: bytes) -> pb.PreviewTaskResponse:
    return pb.PreviewTaskResponse(image=image, crc32c=crc32c(image))


def image_from_message(message: pb.PreviewTaskResponse) -> bytes:
    """The JPEG; UnexpectedResponse for anything else, BytesDiffer for one that is damaged."""
    image = message.image
    if not image.startswith(_JPEG) or len(image) > MAX_IMAGE_SIZE:
        raise UnexpectedResponse(f"{len(image)} bytes that are no preview")
    if crc32c(image) != message.crc32c:
        raise BytesDiffer("the preview arrived with other bytes than the server sent; run the command again")
    return image
