"""VideoService, called as by the app and as by a broken client."""

import queue
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from facecli.core.checksums import crc32c
from facecli.wire.errors import from_rpc
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import Stubs

Code = grpc.StatusCode


def chunk(index: int, data: bytes = b"0123", **changed: object) -> pb.UploadRequest:
    fields = {
        "user_id": "ann",
        "file_name": "clip.mp4",
        "chunk": data,
        "chunk_index": index,
        "total_chunks": 3,
        "file_type": "video",
        **changed,
    }
    return pb.UploadRequest(**fields)  # type: ignore[arg-type]


def test_an_upload_of_the_app_is_answered_once_with_its_url(stubs: Stubs) -> None:
    answer = stubs.videos.UploadVideo(iter([chunk(0), chunk(1), chunk(2, b"89")]))
    assert (answer.status, answer.uploaded_chunks, answer.total_chunks) == ("completed", 3, 3)
    assert answer.file_url == f"/uploads/{answer.upload_id}/clip.mp4"
    assert (answer.stored_bytes, answer.crc32c) == (10, crc32c(b"0123012389"))


def test_a_stream_that_ends_early_reports_an_incomplete_upload(stubs: Stubs) -> None:
    answer = stubs.videos.UploadVideo(iter([chunk(0), chunk(1)]))
    assert (answer.status, answer.uploaded_chunks, answer.file_url) == ("incomplete", 2, "")


def test_resume_announces_the_next_chunk_before_anything_is_sent(stubs: Stubs) -> None:
    cut = stubs.videos.UploadVideo(iter([chunk(0)]), metadata=(("facecli-resume", "1"),))
    announced: queue.Queue[dict[str, str | bytes]] = queue.Queue()

    def rest() -> Iterator[pb.UploadRequest]:
        next_chunk = int(announced.get(timeout=60)["facecli-next-chunk"])
        yield from [chunk(0), chunk(1), chunk(2, b"89")][next_chunk:]

    metadata = (("facecli-resume", "1"), ("facecli-upload-id", cut.upload_id))
    call = stubs.channel.stream_unary(
        "/video.VideoService/UploadVideo",
        request_serializer=pb.UploadRequest.SerializeToString,
        response_deserializer=pb.UploadResponse.FromString,
    ).future(rest(), metadata=metadata)
    metadata_sent = dict(call.initial_metadata())
    announced.put(metadata_sent)
    answer = call.result()
    assert metadata_sent == {"facecli-upload-id": cut.upload_id, "facecli-next-chunk": "1"}
    assert (answer.status, answer.crc32c) == ("completed", crc32c(b"0123012389"))


def test_without_the_header_an_upload_begins_anew_and_no_metadata_is_sent(stubs: Stubs) -> None:
    first = stubs.videos.UploadVideo(iter([chunk(0)]))
    answer, call = stubs.channel.stream_unary(
        "/video.VideoService/UploadVideo",
        request_serializer=pb.UploadRequest.SerializeToString,
        response_deserializer=pb.UploadResponse.FromString,
    ).with_call(iter([chunk(0)]))
    assert answer.upload_id != first.upload_id
    assert not [name for name, _ in call.initial_metadata() if name.startswith("facecli-")]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], Code.INVALID_ARGUMENT),
        ([chunk(0, b"")], Code.INVALID_ARGUMENT),
        ([chunk(0, file_name="")], Code.INVALID_ARGUMENT),
        ([chunk(0, file_name="../x")], Code.INVALID_ARGUMENT),
        ([chunk(0, file_type="audio")], Code.INVALID_ARGUMENT),
        ([chunk(0, total_chunks=0)], Code.INVALID_ARGUMENT),
        ([chunk(0, total_chunks=-1)], Code.INVALID_ARGUMENT),
        ([chunk(-1)], Code.INVALID_ARGUMENT),
        ([chunk(0), chunk(-1)], Code.INVALID_ARGUMENT),
        ([chunk(1)], Code.OUT_OF_RANGE),
        ([chunk(0), chunk(2)], Code.OUT_OF_RANGE),
        ([chunk(0), chunk(1, file_name="other.mp4")], Code.INVALID_ARGUMENT),
        ([chunk(0), chunk(1, total_chunks=4)], Code.INVALID_ARGUMENT),
        ([chunk(0), chunk(1, b"01")], Code.INVALID_ARGUMENT),
        ([chunk(0), chunk(1, b"012345")], Code.INVALID_ARGUMENT),
        ([chunk(0), chunk(1), chunk(2), chunk(3)], Code.INVALID_ARGUMENT),
        ([chunk(0, chunk_crc32c=1)], Code.INVALID_ARGUMENT),
    ],
)
def test_a_broken_upload_is_refused(stubs: Stubs, messages: list[pb.UploadRequest], code: Code) -> None:
    assert refused(lambda: stubs.videos.UploadVideo(iter(messages)))[0] is code


def test_a_chunk_ahead_is_refused_with_the_next_index(stubs: Stubs) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stubs.videos.UploadVideo(iter([chunk(0), chunk(2)]))
    assert from_rpc(caught.value, server="here:1").details == {"next_chunk_index": 1}


def test_a_task_is_created_once_per_key(stubs: Stubs, samples: tuple[bytes, bytes]) -> None:
    request = pb.CreateTaskRequest(
        user_id="ann",
        image_url=stubs.stored(samples[0], file_type="image", name="face.png"),
        video_url=stubs.stored(samples[1]),
    )
    key = (("idempotency-key", "k"),)
    first, again = (stubs.videos.CreateTask(request, metadata=key) for _ in range(2))
    assert (first.task_id, first.status) == (again.task_id, "pending")
    assert stubs.videos.CreateTask(request).task_id != first.task_id
    part, other = pb.CreateTaskRequest(), pb.CreateTaskRequest()
    for changed in (part, other):
        changed.CopyFrom(request)
    part.end.FromMilliseconds(500)
    other.options["fail_at"] = "0.5"
    for changed in (part, other):
        assert refused(lambda: stubs.videos.CreateTask(changed, metadata=key)) == (  # noqa: B023
            Code.ALREADY_EXISTS,
            "KEY_REUSED",
        )
    assert stubs.videos.GetTaskStatus(pb.TaskStatusRequest(task_id=first.task_id)).status == "pending"


def test_files_that_cannot_be_swapped_are_refused_at_create(
    stubs: Stubs, samples: tuple[bytes, bytes]
) -> None:
    face = stubs.stored(samples[0], file_type="image", name="face.png")
    clip = stubs.stored(samples[1])
    unfinished = stubs.videos.UploadVideo(iter([chunk(0)]))

    def create(image: str, video: str, **more: object) -> tuple[Code, str]:
        request = pb.CreateTaskRequest(user_id="ann", image_url=image, video_url=video, **more)  # type: ignore[arg-type]
        return refused(lambda: stubs.videos.CreateTask(request))

    assert create(face, f"/uploads/{unfinished.upload_id}/clip.mp4") == (
        Code.FAILED_PRECONDITION,
        "UPLOAD_UNFINISHED",
    )
    assert create(face, stubs.stored(b"not a video")) == (Code.INVALID_ARGUMENT, "MEDIA_REFUSED")
    assert create(face, stubs.stored(samples[1][: len(samples[1]) // 2])) == (
        Code.INVALID_ARGUMENT,
        "MEDIA_REFUSED",
    )
    assert create(stubs.stored(b"no", file_type="image"), clip) == (
        Code.INVALID_ARGUMENT,
        "MEDIA_REFUSED",
    )
    assert create(clip, face) == (Code.INVALID_ARGUMENT, "INVALID_INPUT")
    assert create(face, clip, engine="magic") == (Code.INVALID_ARGUMENT, "INVALID_INPUT")
    assert create(face, clip, options={"x": "y"}) == (Code.INVALID_ARGUMENT, "INVALID_INPUT")
    assert create("nonsense", clip) == (Code.INVALID_ARGUMENT, "INVALID_INPUT")
    assert create(face, f"/uploads/{'0' * 32}/clip.mp4") == (Code.NOT_FOUND, "UPLOAD_NOT_FOUND")
    theirs = stubs.stored(samples[1], user="bob")
    assert create(face, theirs) == (Code.NOT_FOUND, "UPLOAD_NOT_FOUND")


def test_a_pending_task_is_cancelled_watched_and_retried(stubs: Stubs, samples: tuple[bytes, bytes]) -> None:
    task = stubs.videos.CreateTask(
        pb.CreateTaskRequest(
            user_id="ann",
            image_url=stubs.stored(samples[0], file_type="image", name="face.png"),
            video_url=stubs.stored(samples[1]),
        )
    )
    watching = stubs.tasks.WatchTask(task_pb.WatchTaskRequest(user_id="ann", task_id=task.task_id))
    assert next(watching).task.status == "pending"
    cancel = task_pb.CancelTaskRequest(user_id="ann", task_id=task.task_id)
    assert stubs.tasks.CancelTask(cancel).task.status == "cancelled"
    assert [answer.task.status for answer in watching] == ["cancelled"]
    assert stubs.tasks.CancelTask(cancel).task.status == "cancelled"
    again = stubs.tasks.RetryTask(task_pb.RetryTaskRequest(user_id="ann", task_id=task.task_id)).task
    assert (again.status, again.task_id) == ("pending", task.task_id)
    assert again.revision > task.revision
    retry = task_pb.RetryTaskRequest(user_id="ann", task_id=task.task_id)
    assert refused(lambda: stubs.tasks.RetryTask(retry))[0] is Code.FAILED_PRECONDITION
    listed = stubs.tasks.ListTasks(task_pb.ListTasksRequest(user_id="ann", status="pending")).tasks
    assert [found.task_id for found in listed] == [task.task_id]
    theirs = task_pb.CancelTaskRequest(user_id="bob", task_id=task.task_id)
    assert refused(lambda: stubs.tasks.CancelTask(theirs)) == (Code.NOT_FOUND, "TASK_NOT_FOUND")


def test_the_data_directory_contains_no_name_that_a_client_chose(
    stubs: Stubs, settings: object, tmp_path: Path
) -> None:
    stubs.stored(b"data", name="passwd.mp4")
    assert not [path for path in tmp_path.rglob("*") if "passwd" in path.name]
