"""Everything that a client can store has an upper limit of its length."""

from collections.abc import Callable

import pytest

from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.rpc.refusals import refusal
from tests.support.rpc.statuses import Code
from tests.unit.rpc.conftest import Stubs

LONG = "x" * 256
HUGE = "x" * 500_000


def begin(stubs: Stubs, user: str) -> object:
    return stubs.uploads.BeginUpload(
        upload_pb.BeginUploadRequest(
            user_id=user, name="clip.mp4", file_type="video", size=9, chunk_size=4, fresh=True
        )
    )


def upload(stubs: Stubs, user: str) -> object:
    message = pb.UploadRequest(user_id=user, file_name="a.mp4", chunk=b"x", total_chunks=1, file_type="video")
    return stubs.videos.UploadVideo(iter([message]))


def create(stubs: Stubs, user: str) -> object:
    return stubs.videos.CreateTask(pb.CreateTaskRequest(user_id=user, image_url="a", video_url="b"))


@pytest.mark.parametrize("call", [begin, upload, create])
@pytest.mark.parametrize("user", [LONG, HUGE])
def test_a_long_user_id_is_refused(stubs: Stubs, call: Callable[[Stubs, str], object], user: str) -> None:
    code, error, _ = refusal(lambda: call(stubs, user))
    assert (code, error.reason) == (Code.INVALID_ARGUMENT, "INVALID_INPUT")
    assert error.message == f"user_id has {len(user)} characters, and may have 255"


def test_the_longest_user_id_is_stored(stubs: Stubs) -> None:
    begin(stubs, LONG[:255])


@pytest.mark.parametrize(
    ("metadata", "options", "expected"),
    [
        ((("idempotency-key", LONG),), {}, "the idempotency key has 256 characters, and may have 255"),
        ((), {"a": "x" * 20_000}, "the options have 20001 characters, and may have 16384"),
        ((), {f"n{number}": "x" * 100 for number in range(200)}, "and may have 16384"),
    ],
)
def test_a_long_key_and_long_options_are_refused(
    stubs: Stubs, metadata: tuple[tuple[str, str], ...], options: dict[str, str], expected: str
) -> None:
    request = pb.CreateTaskRequest(user_id="ann", image_url="/uploads/a/b", video_url="/uploads/a/b")
    request.options.update(options)
    code, error, _ = refusal(lambda: stubs.videos.CreateTask(request, metadata=metadata))
    assert code is Code.INVALID_ARGUMENT
    assert expected in error.message
