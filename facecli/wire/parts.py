"""Converts the part of a video that a task swaps to protobuf durations and back."""

from google.protobuf.duration_pb2 import Duration

from facecli.core.errors import InvalidInput, UnexpectedResponse
from facecli.core.video.plan import MICROSECONDS, VideoPart
from facecli.wire.generated import video_service_pb2 as pb

# What a google.protobuf.Duration may hold.
_MAX_SECONDS = 315_576_000_000
_MAX_NANOS = 999_999_999


def durations(part: VideoPart) -> dict[str, Duration]:
    """The fields of a message with a part; none for the beginning and the end of the video."""
    times = {"start": part.start or None, "end": part.end}
    return {name: duration(time) for name, time in times.items() if time is not None}


def duration(microseconds: int) -> Duration:
    found = Duration()
    found.FromMicroseconds(microseconds)
    return found


def requested_part(request: pb.CreateTaskRequest) -> VideoPart:
    """The part that a client asks for; InvalidInput for what a Duration may not hold."""
    try:
        return _part(request)
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def part_of_task(message: pb.TaskResponse) -> VideoPart:
    """The part of a task; UnexpectedResponse for an impossible one."""
    try:
        part = _part(message)
        part.check()
    except (ValueError, InvalidInput) as error:
        raise UnexpectedResponse("an impossible part of a video") from error
    return part


def _part(message: pb.CreateTaskRequest | pb.TaskResponse) -> VideoPart:
    end = microseconds(message.end, "end") if message.HasField("end") else None
    return VideoPart(start=microseconds(message.start, "start"), end=end)


def microseconds(time: Duration, field: str) -> int:
    """ValueError for what a Duration may not hold."""
    if abs(time.seconds) > _MAX_SECONDS or abs(time.nanos) > _MAX_NANOS:
        raise ValueError(f"{field} is no duration: {time.seconds} s and {time.nanos} ns")
    return time.seconds * MICROSECONDS + round(time.nanos / 1000)
