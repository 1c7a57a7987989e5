"""The table "the right status": what a client does, and the answers that are right."""

from collections.abc import Callable
from dataclasses import dataclass

import grpc

from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.unit.rpc.conftest import Stubs, frame

Code = grpc.StatusCode
UNKNOWN_ID = "0" * 32


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A running server, and a real face and a real clip as bytes."""

    stubs: Stubs
    face: bytes
    clip: bytes

    def task(self, *, image: str = "", video: str = "", **more: object) -> pb.TaskResponse:
        """Create a task, from valid files unless named."""
        image = image or self.stubs.stored(self.face, file_type="image", name="face.png")
        video = video or self.stubs.stored(self.clip)
        request = pb.CreateTaskRequest(user_id="ann", image_url=image, video_url=video, **more)  # type: ignore[arg-type]
        return self.stubs.videos.CreateTask(request)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A mistake of a client and the right answer. `expected` is the part of the message that helps."""

    does: str
    act: Callable[[RunningServer], object]
    code: grpc.StatusCode
    reason: str
    expected: str


def invalid(
    does: str, act: Callable[[RunningServer], object], expected: str, reason: str = "INVALID_INPUT"
) -> Case:
    return Case(does=does, act=act, code=Code.INVALID_ARGUMENT, reason=reason, expected=expected)


def not_ready(does: str, act: Callable[[RunningServer], object], reason: str, expected: str) -> Case:
    return Case(does=does, act=act, code=Code.FAILED_PRECONDITION, reason=reason, expected=expected)


def ahead(does: str, act: Callable[[RunningServer], object], expected: str) -> Case:
    return Case(does=does, act=act, code=Code.OUT_OF_RANGE, reason="OUT_OF_ORDER", expected=expected)


def differs(does: str, act: Callable[[RunningServer], object]) -> Case:
    code, expected = Code.ALREADY_EXISTS, "holds other bytes"
    return Case(does=does, act=act, code=code, reason="CHUNK_DIFFERS", expected=expected)


def unknown(does: str, act: Callable[[RunningServer], object], kind: str) -> Case:
    expected = f"there is no {kind} {UNKNOWN_ID}"
    return Case(
        does=does, act=act, code=Code.NOT_FOUND, reason=f"{kind.upper()}_NOT_FOUND", expected=expected
    )


def chunk(index: int = 0, data: bytes = b"0123", **changed: object) -> pb.UploadRequest:
    """One of three chunks of `clip.mp4`, as the app sends them."""
    fields = {"user_id": "ann", "file_name": "clip.mp4", "chunk": data, "chunk_index": index, **changed}
    return pb.UploadRequest(**{"total_chunks": 3, "file_type": "video", **fields})  # type: ignore[arg-type]


def app(*messages: pb.UploadRequest) -> Callable[[RunningServer], object]:
    """UploadVideo with these messages."""
    return lambda world: world.stubs.videos.UploadVideo(iter(messages))


def stream(*frames: tuple[int, bytes], crc: int | None = None) -> Callable[[RunningServer], object]:
    """StreamUpload of a new upload of 10 bytes in chunks of 4, with frames at these offsets."""

    def act(world: RunningServer) -> object:
        upload_id = world.stubs.begin()
        messages = [frame(upload_id, offset, data, crc) for offset, data in frames]
        return list(world.stubs.uploads.StreamUpload(iter(messages)))

    return act


def begin(**changed: object) -> Callable[[RunningServer], object]:
    fields = {
        "user_id": "ann",
        "name": "clip.mp4",
        "file_type": "video",
        "size": 10,
        "chunk_size": 4,
        **changed,
    }
    return lambda world: world.stubs.uploads.BeginUpload(upload_pb.BeginUploadRequest(**fields))  # type: ignore[arg-type]


def single(index: int, data: bytes, crc: int | None = None) -> Callable[[RunningServer], object]:
    """UploadChunk of a new upload of 10 bytes in chunks of 4."""

    def act(world: RunningServer) -> object:
        request = upload_pb.UploadChunkRequest(
            user_id="ann", upload_id=world.stubs.begin(), chunk_index=index, data=data, crc32c=crc
        )
        return world.stubs.uploads.UploadChunk(request)

    return act


def other_bytes(world: RunningServer) -> object:
    url = world.stubs.stored(b"0123")
    return list(world.stubs.uploads.StreamUpload(iter([frame(url.split("/")[2], 0, b"XXXX")])))


def other_single(world: RunningServer) -> object:
    url = world.stubs.stored(b"0123")
    request = upload_pb.UploadChunkRequest(user_id="ann", upload_id=url.split("/")[2], data=b"XXXX")
    return world.stubs.uploads.UploadChunk(request)


def unfinished(world: RunningServer) -> object:
    cut = world.stubs.videos.UploadVideo(iter([chunk(0)]))
    return world.task(video=f"/uploads/{cut.upload_id}/clip.mp4")


def unfinished_download(world: RunningServer) -> object:
    url = f"/uploads/{world.stubs.begin()}/clip.mp4"
    return list(world.stubs.files.Download(file_pb.DownloadRequest(user_id="ann", url=url)))


def cancelled(world: RunningServer) -> str:
    task_id = world.task().task_id
    world.stubs.tasks.CancelTask(task_pb.CancelTaskRequest(user_id="ann", task_id=task_id))
    return task_id


def result_of_cancelled(world: RunningServer) -> object:
    request = file_pb.DownloadRequest(user_id="ann", url=f"/outputs/{cancelled(world)}/clip.mp4")
    return list(world.stubs.files.Download(request))


def retry_of_pending(world: RunningServer) -> object:
    request = task_pb.RetryTaskRequest(user_id="ann", task_id=world.task().task_id)
    return world.stubs.tasks.RetryTask(request)


def swapped(world: RunningServer) -> object:
    face = world.stubs.stored(world.face, file_type="image", name="face.png")
    return world.task(image=world.stubs.stored(world.clip), video=face)


def face_of(data: Callable[[RunningServer], bytes]) -> Callable[[RunningServer], object]:
    """Create a task with this image as the face."""
    return lambda world: world.task(image=world.stubs.stored(data(world), file_type="image", name="f.png"))


def video_of(data: Callable[[RunningServer], bytes]) -> Callable[[RunningServer], object]:
    return lambda world: world.task(video=world.stubs.stored(data(world)))


NAMES = {
    "an empty name": ("", "no name"),
    "a name of 256 bytes": ("x" * 256, "longer than 255 bytes"),
    "a name of 255 characters and more bytes": ("é" * 200, "longer than 255 bytes"),
    "a name with a line": ("a\nb.mp4", "control characters"),
    "a name with ESC": ("a\x1b[2Jb.mp4", "control characters"),
    "a name with NUL": ("a\0b.mp4", "control characters"),
    "a name with a slash": ("a/b.mp4", "send the name alone"),
    "a name that is ..": ("..", "send the name alone"),
    "a name that turns": ("a\u202e4pm.exe", "control characters"),
}


def unknown_stream(world: RunningServer) -> object:
    return list(world.stubs.uploads.StreamUpload(iter([frame(UNKNOWN_ID, 0, b"0")])))


def unknown_file(url: str) -> Callable[[RunningServer], object]:
    return lambda world: list(world.stubs.files.Download(file_pb.DownloadRequest(url=url)))


def unknown_upload(call: str) -> Callable[[RunningServer], object]:
    request = getattr(upload_pb, f"{call}Request")(upload_id=UNKNOWN_ID)
    return lambda world: getattr(world.stubs.uploads, call)(request)


def unknown_task(call: str) -> Callable[[RunningServer], object]:
    request = getattr(task_pb, f"{call}Request")(task_id=UNKNOWN_ID)
    return lambda world: getattr(world.stubs.tasks, call)(request)


def unknown_watch(world: RunningServer) -> object:
    return list(world.stubs.tasks.WatchTask(task_pb.WatchTaskRequest(task_id=UNKNOWN_ID)))


def unknown_watches(world: RunningServer) -> object:
    tasks = [task_pb.WatchedTask(task_id=each) for each in (world.task().task_id, UNKNOWN_ID)]
    return list(world.stubs.tasks.WatchTasks(task_pb.WatchTasksRequest(user_id="ann", tasks=tasks)))


def unknown_status(world: RunningServer) -> object:
    return world.stubs.videos.GetTaskStatus(pb.TaskStatusRequest(task_id=UNKNOWN_ID))


UNKNOWN = [
    unknown("StreamUpload", unknown_stream, "upload"),
    unknown("UploadVideo", app(chunk(upload_id=UNKNOWN_ID)), "upload"),
    *(unknown(call, unknown_upload(call), "upload") for call in ("UploadChunk", "GetUpload", "CancelUpload")),
    unknown("CreateTask", lambda world: world.task(image=f"/uploads/{UNKNOWN_ID}/x.png"), "upload"),
    unknown("GetTaskStatus", unknown_status, "task"),
    unknown("WatchTask", unknown_watch, "task"),
    unknown("WatchTasks", unknown_watches, "task"),
    *(
        unknown(call, unknown_task(call), "task")
        for call in ("ListTaskLogs", "CancelTask", "RetryTask", "DeleteTask")
    ),
    unknown("Download of a result", unknown_file(f"/outputs/{UNKNOWN_ID}/x.mp4"), "task"),
    unknown("Download of an upload", unknown_file(f"/uploads/{UNKNOWN_ID}/x.mp4"), "upload"),
]
