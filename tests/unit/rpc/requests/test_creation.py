"""The creation of tasks with slow files: bounded, harmless to other calls, and ended with its caller."""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from PIL import Image

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.wire.generated import task_service_pb2
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.e2e.proc import processes_of
from tests.support.eventually import eventually
from tests.support.rpc.refusals import refusal
from tests.unit.rpc.conftest import Stubs

pytestmark = pytest.mark.slow

PROBE_SECONDS = 3.0


def picture_of_many_scans() -> bytes:
    """A progressive JPEG of 1 MB that takes many minutes to decode."""
    target = io.BytesIO()
    Image.new("L", (3000, 3000), 128).save(target, "JPEG", progressive=True, quality=10)
    data = target.getvalue()
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 40_000 + data[-2:]


@pytest.fixture(scope="module")
def slow() -> bytes:
    return picture_of_many_scans()


@pytest.fixture
def stubs(settings: Settings) -> Iterator[Stubs]:
    """A server with one slot for short calls."""
    changed = replace(settings, max_calls=1, user_share=100, probe_timeout=PROBE_SECONDS)
    with run_server(changed) as server, grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel)


def creation(stubs: Stubs, image: bytes, clip: bytes, *, user: str) -> pb.CreateTaskRequest:
    return pb.CreateTaskRequest(
        user_id=user,
        image_url=stubs.stored(image, file_type="image", name="face", user=user),
        video_url=stubs.stored(clip, user=user),
    )


def decoders(settings: Settings) -> list[int]:
    """The picture decoders that this server runs."""
    found = processes_of(Path(settings.data_dir))
    return [pid for pid, command in found.items() if any("decode.py" in argument for argument in command)]


def test_a_picture_of_many_scans_is_refused_in_time_and_leaves_no_process(
    stubs: Stubs, settings: Settings, samples: tuple[bytes, bytes], slow: bytes
) -> None:
    request = creation(stubs, slow, samples[1], user="ann")
    # A call that ends before the check has to be repeated; on a busy machine that may be this one.
    code, error, _ = refusal(lambda: stubs.videos.CreateTask(request))
    while code is grpc.StatusCode.UNAVAILABLE and "still being checked" in error.message:
        code, error, _ = refusal(lambda: stubs.videos.CreateTask(request))
    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MEDIA_REFUSED")
    assert "face was not checked within 2.7 s, the probe_timeout of the server" in error.message
    eventually(lambda: not decoders(settings))


def test_a_slow_creation_holds_no_slot_of_short_calls_and_delays_no_other(
    stubs: Stubs, settings: Settings, samples: tuple[bytes, bytes], slow: bytes
) -> None:
    held = stubs.videos.CreateTask.future(creation(stubs, slow, samples[1], user="ann"))
    eventually(lambda: decoders(settings))
    quick = stubs.videos.CreateTask(creation(stubs, samples[0], samples[1], user="bob"))
    assert quick.status == "pending"
    assert stubs.tasks.ListTasks(task_service_pb2.ListTasksRequest(user_id="bob")).tasks
    held.cancel()


@pytest.mark.parametrize("end", ["cancel", "deadline"])
def test_the_decoder_ends_with_the_call(
    settings: Settings, samples: tuple[bytes, bytes], slow: bytes, end: str
) -> None:
    patient = replace(settings, probe_timeout=600.0)
    with run_server(patient) as server, grpc.insecure_channel(server.address) as channel:
        stubs = Stubs(channel)
        request = creation(stubs, slow, samples[1], user="ann")
        call = stubs.videos.CreateTask.future(request, timeout=3.0 if end == "deadline" else None)
        eventually(lambda: decoders(settings))
        begun = time.monotonic()
        if end == "cancel":
            call.cancel()
        eventually(lambda: not decoders(settings))
        assert time.monotonic() - begun < 300  # of the 600 that the file could have
