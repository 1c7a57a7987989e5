"""Quotas per user: more is refused with a retry delay, and other users are not affected."""

from collections.abc import Callable

from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.rpc.refusals import refusal
from tests.support.rpc.statuses import Code, RunningServer, chunk
from tests.unit.rpc.conftest import Serve, frame


def check_quota(call: Callable[[], object], expected: str, *, after: int) -> None:
    code, error, seconds = refusal(call)
    assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "QUOTA_REACHED", after)
    assert expected in error.message


def begin(size: int, user: str = "ann") -> upload_pb.BeginUploadRequest:
    return upload_pb.BeginUploadRequest(
        user_id=user, name="clip.mp4", file_type="video", size=size, chunk_size=4, fresh=True
    )


def asked(world: RunningServer) -> file_pb.GetServerInfoResponse:
    return world.stubs.files.GetServerInfo(file_pb.GetServerInfoRequest(user_id="ann"))


def test_the_bytes_of_one_user_are_limited(serve: Serve) -> None:
    with serve(max_user_bytes=30) as world:
        uploads = world.stubs.uploads
        first = uploads.BeginUpload(begin(20)).upload.upload_id
        assert (asked(world).max_user_bytes, asked(world).user_bytes) == (30, 20)
        expected = "ann has 20 bytes on this server, the quota is 30; "
        check_quota(lambda: uploads.BeginUpload(begin(11)), expected + "clip.mp4 would take 11", after=30)
        both = upload_pb.BeginUploadsRequest(uploads=[begin(4), begin(8)])
        check_quota(lambda: uploads.BeginUploads(both), expected, after=30)
        check_quota(lambda: world.stubs.videos.UploadVideo(iter([chunk()])), expected, after=30)
        uploads.BeginUpload(begin(20, user="bob"))
        uploads.BeginUpload(begin(10))
        uploads.CancelUpload(upload_pb.CancelUploadRequest(user_id="ann", upload_id=first))
        uploads.BeginUpload(begin(20))


def test_a_file_beyond_the_whole_quota_is_refused_without_a_retry_delay(serve: Serve) -> None:
    with serve(max_user_bytes=30) as world:
        code, error, seconds = refusal(lambda: world.stubs.uploads.BeginUpload(begin(31)))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE", 0)


def test_the_unfinished_uploads_of_one_user_are_limited(serve: Serve) -> None:
    with serve(max_user_unfinished=2) as world:
        world.stubs.begin()
        world.stubs.begin()
        check_quota(world.stubs.begin, "ann already has 2 unfinished uploads, the limit", after=30)
        world.stubs.begin(user="bob")
        # An upload in progress continues, and complete uploads do not count.
        again = begin(10)
        again.fresh = False
        upload_id = world.stubs.uploads.BeginUpload(again).upload.upload_id
        frames = [frame(upload_id, at, b"0123456789"[at : at + 4]) for at in (0, 4, 8)]
        list(world.stubs.uploads.StreamUpload(iter(frames)))
        world.stubs.begin()


def test_the_waiting_tasks_of_one_user_are_limited(serve: Serve) -> None:
    with serve(max_user_waiting=1) as world:
        tasks = world.stubs.tasks
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        files = {"image": image, "video": world.stubs.stored(world.clip)}
        waiting = world.task(**files)
        check_quota(lambda: world.task(**files), "ann already has 1 waiting tasks, the limit", after=5)
        cancel = task_pb.CancelTaskRequest(user_id="ann", task_id=waiting.task_id)
        retry = task_pb.RetryTaskRequest(user_id="ann", task_id=waiting.task_id)
        tasks.CancelTask(cancel)
        world.task(**files)
        check_quota(lambda: tasks.RetryTask(retry), "ann already has 1 waiting tasks", after=5)


def test_an_idempotent_create_succeeds_at_the_limit(serve: Serve) -> None:
    with serve(max_user_waiting=1) as world:
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        request = pb.CreateTaskRequest(
            user_id="ann", image_url=image, video_url=world.stubs.stored(world.clip)
        )
        create, key = world.stubs.videos.CreateTask, (("idempotency-key", "order-1"),)
        assert create(request, metadata=key).task_id == create(request, metadata=key).task_id


def test_a_user_without_room_for_a_result_cannot_create_a_task(serve: Serve) -> None:
    with serve() as world:
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        files = {"image": image, "video": world.stubs.stored(world.clip)}
        used = asked(world).user_bytes
        assert used == len(world.face) + len(world.clip)
    with serve(max_user_bytes=used) as world:
        check_quota(lambda: world.task(**files), f"ann has {used} bytes on this server", after=30)


def test_a_limit_of_zero_refuses_no_one(serve: Serve) -> None:
    with serve(max_user_bytes=0, max_user_unfinished=0, max_user_waiting=0) as world:
        world.stubs.begin()
        world.task()
