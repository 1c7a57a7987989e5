"""Answers of a server that seems right: what the fuzz changes."""

from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from facecli.core.checksums import crc32c
from facecli.tasks.provenance.chain import FIRST_PREVIOUS, link
from facecli.wire.generated import file_service_pb2 as files
from facecli.wire.generated import task_service_pb2 as tasks
from facecli.wire.generated import upload_service_pb2 as uploads
from facecli.wire.generated import video_service_pb2 as videos
from tests.support.garbage.server import Answer, AnswerTo, of

RECORD = '{"output":{"size":1},"waiver":null,"consent":null}'
DATA = b"0123456789"
JPEG = b"\xff\xd8\xff".ljust(len(DATA), b".")
CHUNK_SIZE = 4
UPLOAD_ID = "f" * 32
TASK_ID = "a" * 32
RUNNING_ID = "b" * 32  # of a task that runs until its watch says otherwise
URL = f"/uploads/{UPLOAD_ID}/clip.mp4"
NOW = Timestamp(seconds=1_790_000_000)


_OUTPUTS = (("result", "mp4"), ("preview", "jpg"))


def task(status: str = "completed", **changed: Any) -> videos.TaskResponse:
    fields: dict[str, Any] = {
        "task_id": TASK_ID,
        "status": status,
        "progress": 100,
        "revision": 7,
        "created_at": NOW,
        "updated_at": NOW,
        "engine": "mock",
        "engine_version": "1",
        "image_url": URL,
        "video_url": URL,
        "attempt": 1,
        "round": 1,
        "frames": 25,
        "frames_done": 25,
        "stage": "publishing",
    }
    if status == "completed":
        names = {f"{name}_url": f"/outputs/{TASK_ID}/result.{ext}" for name, ext in _OUTPUTS}
        result = {**names, "result_size": len(DATA)}
        fields |= {**result, "result_crc32c": crc32c(DATA)}
    return videos.TaskResponse(**{**fields, **changed})


def running(**changed: Any) -> videos.TaskResponse:
    fields = {"task_id": RUNNING_ID, "revision": 2, "progress": 40, "frames_done": 10}
    return task("processing", **{**fields, **changed})


def log_record(**changed: Any) -> tasks.TaskLogRecord:
    fields = {"time": NOW, "level": "error", "logger": "engine", "text": "no face", "round": 1, "attempt": 1}
    return tasks.TaskLogRecord(**{**fields, **changed})


def upload(status: str = "incomplete", **changed: Any) -> uploads.Upload:
    completed = status == "completed"
    fields: dict[str, Any] = {
        "upload_id": UPLOAD_ID,
        "name": "clip.mp4",
        "file_type": "video",
        "size": len(DATA),
        "chunk_size": CHUNK_SIZE,
        "total_chunks": 3,
        "status": status,
        "stored_bytes": len(DATA) if completed else 4,
        "stored_chunks": 3 if completed else 1,
        "crc32c": crc32c(DATA) if completed else None,
        "created_at": NOW,
        "expires_at": NOW,
    }
    return uploads.Upload(**{**fields, **changed})


def chunk(index: int = 0, data: bytes = DATA[:4]) -> uploads.StoredChunk:
    return uploads.StoredChunk(index=index, size=len(data), crc32c=crc32c(data))


def acknowledgement(index: int, stored: int, **changed: Any) -> uploads.StreamUploadResponse:
    fields: dict[str, Any] = {"upload_id": UPLOAD_ID, "chunk_index": index, "stored_bytes": stored}
    return uploads.StreamUploadResponse(**{**fields, **changed})


def begun(*each: uploads.BeginUploadResponse) -> uploads.BeginUploadsResponse:
    return uploads.BeginUploadsResponse(
        uploads=each or [uploads.BeginUploadResponse(upload=upload(), chunks=[chunk()])]
    )


MESSAGES: dict[str, list[Message]] = {
    "BeginUploads": [begun()],
    "StreamUpload": [
        acknowledgement(1, 8, status="incomplete"),
        acknowledgement(2, 10, status="completed", crc32c=crc32c(DATA), file_url=URL),
    ],
    "ListUploads": [uploads.ListUploadsResponse(uploads=[upload(), upload("completed")])],
    "CancelUpload": [uploads.CancelUploadResponse()],
    "CreateTask": [task("pending", revision=1, progress=0)],
    "GetTaskStatus": [task()],
    "PreviewTask": [tasks.PreviewTaskResponse(image=JPEG, crc32c=crc32c(JPEG))],
    "WatchTask": [
        tasks.WatchTaskResponse(task=task("processing", revision=2, progress=40, frames_done=10)),
        tasks.WatchTaskResponse(task=task()),
    ],
    "WatchTasks": [
        tasks.WatchTasksResponse(tasks=[running(), running(revision=3)]),
        tasks.WatchTasksResponse(tasks=[task(task_id=RUNNING_ID)], up_to_date=True),
    ],
    "ListTasks": [tasks.ListTasksResponse(tasks=[task(), task("failed", error_message="no face")])],
    "ListTaskLogs": [tasks.ListTaskLogsResponse(records=[log_record(), log_record()], dropped=3)],
    "GetProvenance": [
        tasks.GetProvenanceResponse(
            record=RECORD, position=1, previous_sha256=FIRST_PREVIOUS, sha256=link(FIRST_PREVIOUS, RECORD)
        )
    ],
    "CheckTask": [tasks.CheckTaskResponse(engine="mock", engine_version="1")],
    "FindTask": [tasks.FindTaskResponse(task=task())],
    "GetUpload": [uploads.GetUploadResponse(upload=upload("completed"))],
    "CancelTask": [tasks.CancelTaskResponse(task=task("cancelled"))],
    "RetryTask": [tasks.RetryTaskResponse(task=task("pending"))],
    "DeleteTask": [tasks.DeleteTaskResponse()],
    "Download": [
        files.DownloadResponse(size=len(DATA), crc32c=crc32c(DATA)),
        files.DownloadResponse(data=DATA),
    ],
    "CreateLink": [
        files.CreateLinkResponse(url="http://127.0.0.1:8080/outputs/x?signature=y", expires_at=NOW)
    ],
    "GetServerInfo": [
        files.GetServerInfoResponse(
            version="0.1.0", chunk_size=4, max_chunk_size=16, frame_size=4, engines=["mock"], user_id="ann"
        )
    ],
}


def _found(requests: list[bytes]) -> Answer:
    """The task that was asked for."""
    asked = tasks.FindTaskRequest.FromString(requests[0]).task_id if requests else ""
    answer = tasks.FindTaskResponse(task=running() if asked == RUNNING_ID else task())
    return Answer(messages=(answer.SerializeToString(),), reads=True)


# The client reads the acknowledgements only after its chunks are sent.
PLAUSIBLE: dict[str, AnswerTo] = {
    method: of(*messages, reads=method == "StreamUpload") for method, messages in MESSAGES.items()
} | {"FindTask": _found}
