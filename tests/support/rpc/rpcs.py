"""Every RPC, called by its descriptor, with a request for each about the data of one user."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from facecli.core.checksums import crc32c
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb

Metadata = tuple[tuple[str, str], ...]

RPCS: Mapping[str, MethodDescriptor] = {
    f"{service.name}.{method.name}": method
    for file in (video_pb, pb, task_pb, file_pb)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantData:
    """Ids and URLs of the uploads, tasks and results of `user`."""

    user: str
    upload_id: str  # incomplete
    doomed_id: str  # incomplete too, to be cancelled
    image_url: str
    video_url: str
    task_id: str  # completed
    running_id: str
    cancelled_id: str
    doomed_task_id: str  # cancelled too
    result_url: str


NOTHING = TenantData(
    user="nobody",
    upload_id="0" * 31 + "1",
    doomed_id="0" * 31 + "2",
    image_url=f"/uploads/{'0' * 31}3/face.png",
    video_url=f"/uploads/{'0' * 31}4/clip.mp4",
    task_id="0" * 31 + "5",
    running_id="0" * 31 + "6",
    cancelled_id="0" * 31 + "7",
    doomed_task_id="0" * 31 + "8",
    result_url=f"/outputs/{'0' * 31}5/clip.mp4",
)

CHUNK = b"0123"  # the first of three chunks of an incomplete upload
_FILE = {"file_name": "clip.mp4", "file_type": "video", "total_chunks": 3}
_BEGIN: dict[str, Any] = {"name": "clip.mp4", "file_type": "video", "size": 10, "chunk_size": 4}


def begin(data: TenantData) -> pb.BeginUploadRequest:
    return pb.BeginUploadRequest(user_id=data.user, **_BEGIN)


def _stream(data: TenantData) -> list[Message]:
    frame = video_pb.UploadRequest(
        user_id=data.user, upload_id=data.upload_id, chunk=CHUNK, chunk_crc32c=crc32c(CHUNK)
    )
    return [frame]


def _video(data: TenantData) -> list[Message]:
    message = video_pb.UploadRequest(user_id=data.user, upload_id=data.upload_id, chunk=CHUNK)
    message.MergeFrom(video_pb.UploadRequest(**_FILE))  # type: ignore[arg-type]
    return [message]


# A request to each RPC about these ids; the owner gets an answer.
REQUESTS: Mapping[str, Callable[[TenantData], list[Message]]] = {
    "VideoService.UploadVideo": _video,
    "VideoService.CreateTask": lambda of: [
        video_pb.CreateTaskRequest(user_id=of.user, image_url=of.image_url, video_url=of.video_url)
    ],
    "VideoService.GetTaskStatus": lambda of: [video_pb.TaskStatusRequest(task_id=of.task_id)],
    "UploadService.BeginUpload": lambda of: [begin(of)],
    "UploadService.BeginUploads": lambda of: [pb.BeginUploadsRequest(uploads=[begin(of), begin(of)])],
    "UploadService.StreamUpload": _stream,
    "UploadService.UploadChunk": lambda of: [
        pb.UploadChunkRequest(user_id=of.user, upload_id=of.upload_id, data=CHUNK)
    ],
    "UploadService.GetUpload": lambda of: [pb.GetUploadRequest(user_id=of.user, upload_id=of.upload_id)],
    "UploadService.ListUploads": lambda of: [pb.ListUploadsRequest(user_id=of.user, page_token=of.upload_id)],
    "UploadService.CancelUpload": lambda of: [
        pb.CancelUploadRequest(user_id=of.user, upload_id=of.doomed_id)
    ],
    "TaskService.WatchTask": lambda of: [task_pb.WatchTaskRequest(user_id=of.user, task_id=of.task_id)],
    "TaskService.WatchTasks": lambda of: [
        task_pb.WatchTasksRequest(user_id=of.user, tasks=[task_pb.WatchedTask(task_id=of.task_id)])
    ],
    "TaskService.CheckTask": lambda of: [task_pb.CheckTaskRequest(user_id=of.user)],
    "TaskService.CreateTaskUnderTerms": lambda of: [
        task_pb.CreateTaskUnderTermsRequest(
            task=video_pb.CreateTaskRequest(user_id=of.user, image_url=of.image_url, video_url=of.video_url),
            terms=task_pb.Terms(consent=task_pb.Consent(sha256="0" * 64, kind="text")),
        )
    ],
    "TaskService.GetProvenance": lambda of: [
        task_pb.GetProvenanceRequest(user_id=of.user, task_id=of.task_id)
    ],
    "TaskService.PreviewTask": lambda of: [
        task_pb.PreviewTaskRequest(
            user_id=of.user, image_url=of.image_url, video_url=of.video_url, engine="mock", at=[Duration()]
        )
    ],
    "TaskService.FindTask": lambda of: [task_pb.FindTaskRequest(user_id=of.user, task_id=of.task_id)],
    "TaskService.ListTasks": lambda of: [task_pb.ListTasksRequest(user_id=of.user, page_token=of.task_id)],
    "TaskService.ListTaskLogs": lambda of: [task_pb.ListTaskLogsRequest(user_id=of.user, task_id=of.task_id)],
    "TaskService.CancelTask": lambda of: [task_pb.CancelTaskRequest(user_id=of.user, task_id=of.running_id)],
    "TaskService.RetryTask": lambda of: [task_pb.RetryTaskRequest(user_id=of.user, task_id=of.cancelled_id)],
    "TaskService.DeleteTask": lambda of: [
        task_pb.DeleteTaskRequest(user_id=of.user, task_id=of.doomed_task_id)
    ],
    "FileService.Download": lambda of: [file_pb.DownloadRequest(user_id=of.user, url=of.result_url)],
    "FileService.CreateLink": lambda of: [
        file_pb.CreateLinkRequest(user_id=of.user, url=of.result_url, expires_seconds=60)
    ],
    "FileService.GetServerInfo": lambda of: [file_pb.GetServerInfoRequest(user_id=of.user)],
}


def strings(message: Descriptor) -> Iterable[str]:
    """The names of the text fields of a message and of its nested messages."""
    for field in message.fields:
        if field.type == field.TYPE_STRING:
            yield field.name
        elif field.message_type:
            yield from strings(field.message_type)


def put(message: Message, field: str, source: Message) -> None:
    """Copy one field from another message of the same type, including nested messages."""
    for descriptor in message.DESCRIPTOR.fields:
        if descriptor.name == field:
            setattr(message, field, getattr(source, field))
        elif descriptor.message_type and not descriptor.message_type.GetOptions().map_entry:
            mine, its = getattr(message, descriptor.name), getattr(source, descriptor.name)
            for inner, other in [(mine, its)] if isinstance(mine, Message) else zip(mine, its, strict=True):
                put(inner, field, other)


def answers(channel: grpc.Channel, rpc: str, requests: list[Message], metadata: Metadata) -> list[Any]:
    """The responses of the server; RpcError when it refuses."""
    method = RPCS[rpc]
    kind = f"{_WAY[method.client_streaming]}_{_WAY[method.server_streaming]}"
    call: Any = getattr(channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    sent = iter(requests) if method.client_streaming else requests[0]
    answer = call(sent, metadata=metadata)
    return list(answer) if method.server_streaming else [answer]


_WAY = {True: "stream", False: "unary"}
