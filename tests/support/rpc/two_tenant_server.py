"""A server with authentication, two users with the same kinds of data, and unauthenticated callers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.errors import from_rpc
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.eventually import eventually
from tests.support.rpc.rpcs import NOTHING, REQUESTS, Metadata, TenantData, answers, begin
from tests.support.web.grpc_web import WebChannel

Outcome = tuple[grpc.StatusCode, str]

UNAUTHENTICATED = ("no token", "another scheme", "unknown id", "wrong secret", "expired", "revoked")

_IDENTITY = re.compile("[0-9a-f]{32}|(?<=not )(ann|nobody)")


@dataclass(frozen=True)
class TwoTenantServer:
    """Users `ann` and `bob`, an `admin` named root, and UNAUTHENTICATED callers, with credentials."""

    channel: grpc.Channel
    web_channel: grpc.Channel
    metadata: dict[str, Metadata]
    ann: TenantData
    bob: TenantData

    @property
    def transports(self) -> "tuple[TwoTenantServer, TwoTenantServer]":
        """The server by gRPC and by gRPC-Web."""
        return self, replace(self, channel=self.web_channel)

    def answered(self, rpc: str, requests: list[Any], caller: str) -> Outcome:
        """The status and its details, without the ids and the name that were asked for."""
        try:
            answers(self.channel, rpc, requests, self.metadata[caller])
        except grpc.RpcError as error:
            failure = from_rpc(error, server="here:1")
            return error.code(), _IDENTITY.sub(
                "<identity>", f"{failure.reason}: {failure.message} {failure.details}"
            )
        return grpc.StatusCode.OK, ""

    def everything(self, user: str) -> list[bytes]:
        """The listings of a user."""
        own = TenantData(**{**dict.fromkeys(TenantData.__slots__, ""), "user": user})
        listed = [
            answers(self.channel, rpc, REQUESTS[rpc](own), self.metadata[user])[0]
            for rpc in ("UploadService.ListUploads", "TaskService.ListTasks")
        ]
        return [each.SerializeToString(deterministic=True) for each in listed]


@contextmanager
def two_tenant_server(folder: Path) -> Iterator[TwoTenantServer]:
    media = FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=160, height=90)
    settings = Settings(
        engine="mock",
        bind="127.0.0.1:0",
        http="127.0.0.1:0",
        data_dir=str(folder / "data"),
        workers=1,
        auth="token",
    )
    shown = {"no token": "", "another scheme": "Basic YW5uOmFubg=="}
    with tokens(settings) as made:
        for user in ("ann", "bob"):
            shown[user] = made.create(user)[1]
        shown["admin"] = made.create("root", admin=True)[1]
        shown["expired"] = made.create("ann", expires_in=0)[1]
        revoked, shown["revoked"] = made.create("ann")
        made.revoke(revoked.id)
    shown["unknown id"] = re.sub("_.{16}_", f"_{'0' * 16}_", shown["ann"])
    shown["wrong secret"] = shown["ann"][:-64] + "0" * 64
    metadata: dict[str, Metadata] = {
        caller: (("authorization", text if " " in text else f"Bearer {text}"),)
        for caller, text in shown.items()
    }
    metadata["no token"] = ()
    with (
        run_server(settings) as server,
        grpc.insecure_channel(server.address) as channel,
        WebChannel(server.http) as web_channel,
    ):
        # The first task that runs occupies the only worker.
        done = [finished_work(channel, user, metadata[user], folder) for user in ("ann", "bob")]
        ann, bob = (with_unfinished_work(channel, data, metadata[data.user]) for data in done)
        eventually(lambda: _is_swapping(channel, ann, metadata["ann"]))
        yield TwoTenantServer(channel, web_channel, metadata, ann, bob)


def _is_swapping(channel: grpc.Channel, data: TenantData, metadata: Metadata) -> bool:
    """Whether the running task is in the step that does not end, and its row changes no more."""
    request = video_pb.TaskStatusRequest(task_id=data.running_id)
    return bool(answers(channel, "VideoService.GetTaskStatus", [request], metadata)[0].stage == "swapping")


def finished_work(channel: grpc.Channel, user: str, metadata: Metadata, folder: Path) -> TenantData:
    """Create uploads and a task with its result, as a client would."""

    def stored(name: str, file_type: str) -> str:
        message = video_pb.UploadRequest(
            file_name=name, file_type=file_type, total_chunks=1, chunk=(folder / name).read_bytes()
        )
        return str(answers(channel, "VideoService.UploadVideo", [message], metadata)[0].file_url)

    data = replace(
        NOTHING,
        user=user,
        image_url=stored("face.png", "image"),
        video_url=stored("clip.mp4", "video"),
    )
    data = replace(data, task_id=_task(channel, data, metadata))
    *_, last = answers(channel, "TaskService.WatchTask", REQUESTS["TaskService.WatchTask"](data), metadata)
    return replace(data, result_url=last.task.result_url)


def with_unfinished_work(channel: grpc.Channel, data: TenantData, metadata: Metadata) -> TenantData:
    """Add a task that does not end, two that are cancelled, and two incomplete uploads."""
    data = replace(data, running_id=_task(channel, data, metadata, delay="600"))
    return replace(
        data,
        upload_id=_unfinished(channel, metadata),
        doomed_id=_unfinished(channel, metadata),
        cancelled_id=_cancelled(channel, data, metadata),
        doomed_task_id=_cancelled(channel, data, metadata),
    )


def _cancelled(channel: grpc.Channel, data: TenantData, metadata: Metadata) -> str:
    task_id = _task(channel, data, metadata)
    cancel = REQUESTS["TaskService.CancelTask"](replace(data, running_id=task_id))
    answers(channel, "TaskService.CancelTask", cancel, metadata)
    return task_id


def _unfinished(channel: grpc.Channel, metadata: Metadata) -> str:
    request = begin(NOTHING)
    request.user_id, request.fresh = "", True
    return str(answers(channel, "UploadService.BeginUpload", [request], metadata)[0].upload.upload_id)


def _task(channel: grpc.Channel, data: TenantData, metadata: Metadata, **options: str) -> str:
    request = video_pb.CreateTaskRequest(image_url=data.image_url, video_url=data.video_url, options=options)
    return str(answers(channel, "VideoService.CreateTask", [request], metadata)[0].task_id)
