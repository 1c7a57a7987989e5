"""The properties of every RPC method, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass

from facecli.wire.channel import MAX_MESSAGE_SIZE

MAX_SHORT_REQUEST = 1024 * 1024  # bytes; 256 files of one BeginUploads have 200 KiB
MAX_REFLECTION_REQUEST = 4096  # bytes; the name of a file or a symbol
MAX_HEALTH_REQUEST = 4096  # bytes; the name of a service


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Properties of an RPC method.

    `changes`: its calls are audited. `streams`: it takes a slot of its own, which it may lose when idle.
    `anonymous`: it needs no credentials and no slot. `largest_request`: the size in bytes of a message.
    """

    changes: bool = False
    streams: bool = False
    anonymous: bool = False
    largest_request: int = MAX_SHORT_REQUEST


METHODS: Mapping[str, Method] = {
    "/video.VideoService/UploadVideo": Method(changes=True, streams=True),
    "/video.VideoService/CreateTask": Method(changes=True, streams=True),
    "/video.VideoService/GetTaskStatus": Method(),
    "/video.UploadService/BeginUpload": Method(changes=True),
    "/video.UploadService/BeginUploads": Method(changes=True),
    "/video.UploadService/StreamUpload": Method(changes=True, streams=True),
    "/video.UploadService/UploadChunk": Method(changes=True, largest_request=MAX_MESSAGE_SIZE),
    "/video.UploadService/GetUpload": Method(),
    "/video.UploadService/ListUploads": Method(),
    "/video.UploadService/CancelUpload": Method(changes=True),
    "/video.TaskService/WatchTask": Method(streams=True),
    "/video.TaskService/WatchTasks": Method(streams=True),
    "/video.TaskService/CheckTask": Method(),
    "/video.TaskService/CreateTaskUnderTerms": Method(changes=True, streams=True),
    "/video.TaskService/GetProvenance": Method(),
    "/video.TaskService/PreviewTask": Method(streams=True),
    "/video.TaskService/FindTask": Method(),
    "/video.TaskService/ListTasks": Method(),
    "/video.TaskService/ListTaskLogs": Method(),
    "/video.TaskService/CancelTask": Method(changes=True),
    "/video.TaskService/RetryTask": Method(changes=True),
    "/video.TaskService/DeleteTask": Method(changes=True),
    "/video.FileService/Download": Method(streams=True),
    "/video.FileService/CreateLink": Method(changes=True),
    "/video.FileService/GetServerInfo": Method(),
}

_HEALTH = "/grpc.health.v1.Health/"
_REFLECTION = "/grpc.reflection."


def method_of(path: str) -> Method:
    """The properties of a method, by its path `/package.Service/Method`."""
    if path.startswith(_HEALTH):
        return Method(anonymous=True, largest_request=MAX_HEALTH_REQUEST)
    if path.startswith(_REFLECTION):
        return Method(streams=True, largest_request=MAX_REFLECTION_REQUEST)
    return METHODS.get(path, Method())
