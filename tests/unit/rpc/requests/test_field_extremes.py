"""Every field of every request at its extremes: an answer, or a refusal with a reason; never a bug."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.printable import escaped
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.rpc.mutants import count, mutants
from tests.support.rpc.refusals import refusal
from tests.support.rpc.rpcs import NOTHING, REQUESTS, RPCS, TenantData
from tests.unit.rpc.conftest import Stubs

WATCH_SECONDS = 0.5  # after which a watcher of a task that does not change hangs up
MAX_MESSAGE = 1000  # characters of a refusal

Outcome = tuple[str, grpc.StatusCode, str, str]  # mutant, status, reason, message


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stubs, TenantData]]:
    """A server without workers, and data of ann."""
    folder = tmp_path_factory.mktemp("extremes")
    media = FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=64, height=64)
    settings = Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(folder / "data"), workers=0)
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        stubs = Stubs(channel)
        yield stubs, _data(stubs, folder)


def _data(stubs: Stubs, folder: Path) -> TenantData:
    urls = {
        "image_url": stubs.stored((folder / "face.png").read_bytes(), file_type="image", name="face.png"),
        "video_url": stubs.stored((folder / "clip.mp4").read_bytes()),
    }
    request = pb.CreateTaskRequest(user_id="ann", image_url=urls["image_url"], video_url=urls["video_url"])
    tasks = [stubs.videos.CreateTask(request).task_id for _ in range(4)]
    for task_id in tasks[:3]:
        stubs.tasks.CancelTask(task_pb.CancelTaskRequest(user_id="ann", task_id=task_id))
    return replace(
        NOTHING,
        user="ann",
        upload_id=stubs.begin(),
        doomed_id=stubs.begin(),
        task_id=tasks[0],
        cancelled_id=tasks[1],
        doomed_task_id=tasks[2],
        running_id=tasks[3],
        result_url=f"/outputs/{tasks[0]}/clip.mp4",
        **urls,
    )


def outcomes(stubs: Stubs, data: TenantData, rpc: str) -> Iterator[Outcome]:
    (base,) = REQUESTS[rpc](data)
    if isinstance(base, task_pb.PreviewTaskRequest):  # refused before an engine runs, if it is valid
        base.options["fail_at"] = "0"
        base.at.add(seconds=1000)
    method = RPCS[rpc]
    kind = "_".join(
        "stream" if way else "unary" for way in (method.client_streaming, method.server_streaming)
    )
    call: Any = getattr(stubs.channel, kind)(f"/{method.containing_service.full_name}/{method.name}")
    timeout = WATCH_SECONDS if "Watch" in rpc else None
    for name, mutant in mutants(base):
        requests = [[mutant], [base.SerializeToString(), mutant]] if method.client_streaming else [mutant]
        for request in requests:
            try:
                answer = call(iter(request) if method.client_streaming else request, timeout=timeout)
                for _ in answer if method.server_streaming else ():
                    pass
            except grpc.RpcError as error:
                yield name, error.code(), _reason(error), error.details() or ""
            else:
                yield name, grpc.StatusCode.OK, "", ""


def _reason(error: grpc.RpcError) -> str:
    """The reason that the server gave; empty where its status has no ErrorInfo."""
    assert isinstance(error, grpc.Call)
    status, info = rpc_status.from_call(error), error_details_pb2.ErrorInfo()
    return next((info.reason for detail in (status.details if status else ()) if detail.Unpack(info)), "")


@pytest.mark.slow
@pytest.mark.parametrize("rpc", REQUESTS)
def test_no_field_of_a_request_makes_the_server_fail(
    served: tuple[Stubs, TenantData], rpc: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    stubs, data = served
    found = list(outcomes(stubs, data, rpc))
    counts = count(reason or code.name for _, code, reason, _ in found)
    sys.stdout.write(f"\n{rpc}: {len(found)} requests, {counts}\n")
    bugs = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE}
    assert [outcome for outcome in found if outcome[1] in bugs] == []
    ended = {grpc.StatusCode.OK, *([grpc.StatusCode.DEADLINE_EXCEEDED] if "Watch" in rpc else [])}
    refusals = [outcome for outcome in found if outcome[1] not in ended]
    assert [(name, code) for name, code, reason, _ in refusals if not reason] == []
    assert [message for *_, message in refusals if len(message) > MAX_MESSAGE] == []
    assert [message for *_, message in refusals if message != escaped(message)] == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize(
    "time",
    [
        Timestamp(seconds=2**63 - 1),
        Timestamp(seconds=-(2**63)),
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=-62_135_596_801),
        Timestamp(nanos=-1),
        Timestamp(nanos=10**9),
    ],
    ids=str,
)
def test_a_time_that_does_not_exist_is_refused_by_the_name_of_its_field(
    stubs: Stubs, field: str, time: Timestamp
) -> None:
    request = task_pb.ListTasksRequest(user_id="ann", **{field: time})  # type: ignore[arg-type]
    code, error, _ = refusal(lambda: stubs.tasks.ListTasks(request))
    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT")
    assert error.message.startswith(f"{field} must be a time between the years 1 and 9999")


@pytest.mark.parametrize("seconds", [-62_135_596_800, 253_402_300_799])
def test_the_first_and_the_last_time_are_taken(stubs: Stubs, seconds: int) -> None:
    times = {"since": Timestamp(seconds=seconds), "until": Timestamp(seconds=seconds)}
    assert not stubs.tasks.ListTasks(task_pb.ListTasksRequest(user_id="ann", **times)).tasks  # type: ignore[arg-type]
