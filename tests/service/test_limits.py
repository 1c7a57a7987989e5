"""How much one user may have, and hold: refused with the time to come back, and nobody else feels it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import grpc
import pytest

from facecli.bootstrap.serving import serving
from facecli.config import Settings
from facecli.core.auth import Tokens
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.service.conftest import Serve, Stubs, bearing, frame
from tests.service.refusals import refusal
from tests.service.statuses import Code, World, chunk

DEADLINE = 60.0  # seconds; when a test gives up


def check_quota(call: Callable[[], object], says: str, *, after: int) -> None:
    code, error, seconds = refusal(call)
    assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "QUOTA_REACHED", after)
    assert says in error.message


def begin(size: int, user: str = "ann") -> upload_pb.BeginUploadRequest:
    return upload_pb.BeginUploadRequest(
        user_id=user, name="clip.mp4", file_type="video", size=size, chunk_size=4, fresh=True
    )


def asked(world: World) -> file_pb.GetServerInfoResponse:
    return world.stubs.files.GetServerInfo(file_pb.GetServerInfoRequest(user_id="ann"))


def test_bytes_of_one_user_end_where_the_limit_is(serve: Serve) -> None:
    with serve(max_user_bytes=30) as world:
        uploads = world.stubs.uploads
        first = uploads.BeginUpload(begin(20)).upload.upload_id
        assert (asked(world).max_user_bytes, asked(world).user_bytes) == (30, 20)
        says = "ann has 20 bytes on this server, and may have 30; "
        check_quota(lambda: uploads.BeginUpload(begin(11)), says + "clip.mp4 would take 11", after=30)
        both = upload_pb.BeginUploadsRequest(uploads=[begin(4), begin(8)])
        check_quota(lambda: uploads.BeginUploads(both), says, after=30)
        check_quota(lambda: world.stubs.videos.UploadVideo(iter([chunk()])), says, after=30)
        uploads.BeginUpload(begin(20, user="bob"))
        uploads.BeginUpload(begin(10))
        uploads.CancelUpload(upload_pb.CancelUploadRequest(user_id="ann", upload_id=first))
        uploads.BeginUpload(begin(20))


def test_a_file_that_alone_is_too_much_for_one_user_is_not_waited_with(serve: Serve) -> None:
    with serve(max_user_bytes=30) as world:
        code, error, seconds = refusal(lambda: world.stubs.uploads.BeginUpload(begin(31)))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE", 0)


def test_unfinished_uploads_of_one_user_end_where_the_limit_is(serve: Serve) -> None:
    with serve(max_user_unfinished=2) as world:
        world.stubs.begin()
        world.stubs.begin()
        check_quota(world.stubs.begin, "ann has 2 unfinished uploads, and may have 2", after=30)
        world.stubs.begin(user="bob")
        # What is begun already goes on, and complete ones do not count.
        again = replace_fresh(begin(10))
        upload_id = world.stubs.uploads.BeginUpload(again).upload.upload_id
        frames = [frame(upload_id, at, b"0123456789"[at : at + 4]) for at in (0, 4, 8)]
        list(world.stubs.uploads.StreamUpload(iter(frames)))
        world.stubs.begin()


def replace_fresh(request: upload_pb.BeginUploadRequest) -> upload_pb.BeginUploadRequest:
    request.fresh = False
    return request


def test_waiting_tasks_of_one_user_end_where_the_limit_is(serve: Serve) -> None:
    with serve(max_user_waiting=1) as world:
        tasks = world.stubs.tasks
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        files = {"image": image, "video": world.stubs.stored(world.clip)}
        waiting = world.task(**files)
        check_quota(lambda: world.task(**files), "ann has 1 waiting tasks, and may have 1", after=5)
        cancel = task_pb.CancelTaskRequest(user_id="ann", task_id=waiting.task_id)
        retry = task_pb.RetryTaskRequest(user_id="ann", task_id=waiting.task_id)
        tasks.CancelTask(cancel)
        world.task(**files)
        check_quota(lambda: tasks.RetryTask(retry), "ann has 1 waiting tasks", after=5)


def test_who_asks_for_the_same_task_again_gets_it_also_at_the_limit(serve: Serve) -> None:
    with serve(max_user_waiting=1) as world:
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        request = pb.CreateTaskRequest(
            user_id="ann", image_url=image, video_url=world.stubs.stored(world.clip)
        )
        create, key = world.stubs.videos.CreateTask, (("idempotency-key", "order-1"),)
        assert create(request, metadata=key).task_id == create(request, metadata=key).task_id


def test_a_user_without_room_makes_no_task_whose_result_would_need_some(serve: Serve) -> None:
    with serve() as world:
        image = world.stubs.stored(world.face, file_type="image", name="face.png")
        files = {"image": image, "video": world.stubs.stored(world.clip)}
        used = asked(world).user_bytes
        assert used == len(world.face) + len(world.clip)
    with serve(max_user_bytes=used) as world:
        check_quota(lambda: world.task(**files), f"ann has {used} bytes on this server", after=30)


def test_without_limits_nobody_is_refused(serve: Serve) -> None:
    with serve(max_user_bytes=0, max_user_unfinished=0, max_user_waiting=0) as world:
        world.stubs.begin()
        world.task()


def test_one_user_holds_no_more_than_a_share_of_the_uploads(settings: Settings, made: Tokens) -> None:
    ended = threading.Event()

    def held(upload_id: str) -> Iterator[pb.UploadRequest]:
        yield frame(upload_id, 0, b"0123")
        ended.wait(DEADLINE)

    limits = replace(settings, auth="token", max_uploads=4, user_share=50)
    with serving(limits) as server, ExitStack() as stack:
        ann, bob = (
            stack.enter_context(bearing(server.address, made.create(user)[1])) for user in ("ann", "bob")
        )
        holding = [ann.uploads.StreamUpload(held(ann.begin(user=""))) for _ in range(2)]
        for call in holding:
            next(call)
        third = [frame(ann.begin(user=""), 0, b"0123")]
        third[0].user_id = ""
        code, error, seconds = refusal(lambda: list(ann.uploads.StreamUpload(iter(third))))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", 1)
        assert "holds 2 uploads of ann at once" in error.message
        assert bob.stored(b"0123456789", user="")
        ended.set()


def test_a_download_that_nobody_takes_gives_its_place_away_and_ends(settings: Settings) -> None:
    """Eve's fills the buffers and stands still."""
    limits = replace(settings, max_downloads=1, idle_limit=0.5, min_rate=0)
    with (
        serving(limits) as server,
        grpc.insecure_channel(server.address) as channel,
        grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as idle,
    ):
        stubs = Stubs(channel)
        data = bytes(2**24)
        first = pb.UploadRequest(
            user_id="ann", file_name="a.mp4", chunk=data, total_chunks=2, file_type="video"
        )
        second = pb.UploadRequest()
        second.CopyFrom(first)
        second.chunk_index = 1
        url = stubs.videos.UploadVideo(iter([first, second])).file_url
        request = file_pb.DownloadRequest(user_id="ann", url=url)
        untaken = Stubs(idle).files.Download(request)
        next(untaken)
        retry = threading.Event()
        while True:
            try:
                size = sum(len(part.data) for part in stubs.files.Download(request))
                break
            except grpc.RpcError as error:
                assert error.code() is Code.RESOURCE_EXHAUSTED
                retry.wait(0.2)
        assert size == 2**25
        with pytest.raises(grpc.RpcError) as caught:
            list(untaken)
        assert caught.value.code() in {Code.DEADLINE_EXCEEDED, Code.CANCELLED}


def test_one_connection_has_so_many_calls_under_way_and_more_wait(
    settings: Settings, samples: tuple[bytes, bytes]
) -> None:
    with serving(replace(settings, max_streams=2)) as server, ExitStack() as stack:
        own = [("grpc.use_local_subchannel_pool", 1)]
        stubs, another = (
            Stubs(stack.enter_context(grpc.insecure_channel(server.address, options=own))) for _ in range(2)
        )
        face, clip = stubs.stored(samples[0], file_type="image", name="f.png"), stubs.stored(samples[1])
        create = pb.CreateTaskRequest(user_id="ann", image_url=face, video_url=clip)
        task_id = stubs.videos.CreateTask(create).task_id
        watch = task_pb.WatchTaskRequest(user_id="ann", task_id=task_id)
        watching = [stubs.tasks.WatchTask(watch) for _ in range(2)]
        for call in watching:
            next(call)
        with pytest.raises(grpc.RpcError) as caught:
            next(stubs.tasks.WatchTask(watch, timeout=0.5))
        assert caught.value.code() is Code.DEADLINE_EXCEEDED
        assert next(another.tasks.WatchTask(watch)).task.status == "pending"
        watching[0].cancel()
        assert next(stubs.tasks.WatchTask(watch)).task.status == "pending"
