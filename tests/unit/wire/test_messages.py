"""Uploads, tasks and server information survive conversion to messages and back."""

from dataclasses import fields, replace

import pytest

from facecli.api.server_info import ServerInfo
from facecli.core.video.engine_options import EngineOption, OptionType
from facecli.core.video.engines import EngineInfo
from facecli.core.video.figures import SwapFigures
from facecli.core.video.plan import VideoPart
from facecli.tasks.task import Result, Task, TaskFilter, TaskStatus
from facecli.uploads.upload import Chunk, Upload, UploadStatus
from facecli.wire import files, tasks, uploads
from tests.support.builders import task as some_task
from tests.support.builders import upload as some_upload

STRENGTH = EngineOption(
    name="strength", type=OptionType.NUMBER, about="opacity", minimum=0.5, maximum=1, default="0.7"
)
COLOR = EngineOption(
    name="color", type=OptionType.CHOICE, about="skin", choices=("lab", "like:URL"), default="lab"
)
UPLOAD = some_upload(
    blob_key="",
    owner="",
    name="clip [1].mp4",
    status=UploadStatus.COMPLETED,
    stored_bytes=25,
    stored_chunks=3,
    crc32c=0,
    created_at=1.5,
    expires_at=2.5,
)
TASK = some_task(
    owner="",
    status=TaskStatus.COMPLETED,
    progress=100,
    frames_done=250,
    frames=250,
    revision=9,
    round=2,
    attempt=2,
    image_id="",
    video_id="",
    result=Result(blob_key="/outputs/t1/clip%201.mp4", size=5, crc32c=0),
    sheet=Result(blob_key="outputs/t1/r1.sheet", size=1, crc32c=0),
    created_at=1.5,
    updated_at=2.5,
    notes=("sound track 2 (apac) is left out: no decoder",),
    figures=SwapFigures(swapped=200, without_face=40, turned_away=10, people=2),
    part=VideoPart(start=1, end=3_600_000_001),
)


@pytest.mark.parametrize(
    "upload",
    [UPLOAD, replace(UPLOAD, size=None, crc32c=None, status=UploadStatus.INCOMPLETE, stored_bytes=4)],
)
def test_a_client_sees_an_upload_as_it_is(upload: Upload) -> None:
    view = uploads.from_message(uploads.to_message(upload))
    assert {field.name: getattr(view, field.name) for field in fields(view)} == {
        field.name: getattr(upload, field.name) for field in fields(view)
    }
    assert (view.completed, view.file_url) == (upload.completed, upload.file_url)


@pytest.mark.parametrize("task", [TASK, replace(TASK, status=TaskStatus.PENDING, result=None)])
def test_a_client_sees_a_task_as_it_is(task: Task) -> None:
    view = tasks.from_message(tasks.to_message(task))
    result = task.result
    expected = {
        **{field.name: getattr(task, field.name, None) for field in fields(view)},
        "priority": "",  # TaskResponse does not tell it
        "request_id": task.origin.request_id,
        "result_size": result.size if result else None,
        "result_crc32c": result.crc32c if result else None,
    }
    assert {field.name: getattr(view, field.name) for field in fields(view)} == expected
    assert view.ended == task.ended


def test_stored_chunks_keep_their_checksums() -> None:
    chunks = [Chunk(index=i, size=4, crc32c=2**32 - 1 - i, token="") for i in range(3)]
    assert uploads.chunks_from_messages(uploads.chunks_to_messages(chunks)) == chunks


def test_server_info_survives_conversion() -> None:
    info = ServerInfo(
        version="1",
        chunk_size=1,
        max_chunk_size=2,
        frame_size=3,
        max_file_size=2**40,
        engines=("a", "b"),
        default_engine="a",
        image_formats=("jpeg",),
        video_formats=("mp4",),
        features=("x",),
        ffmpeg="9",
        free_bytes=2**50,
        upload_expiry=7,
        max_pixels=2**31,
        max_video_seconds=8,
        max_user_bytes=9,
        max_user_unfinished=10,
        max_user_waiting=11,
        user_bytes=12,
        worker_versions=("1", "2"),
        client_address="192.0.2.1",
        proxy_address="10.0.0.1",
        proxy_headers=("via",),
        http_url="https://facecli.example",
        engine_infos=(
            EngineInfo(name="a", version="3", package="", needs=(), broken="", options=(STRENGTH, COLOR)),
        ),
    )
    assert files.info_from_message(files.info_to_message(info)) == info


@pytest.mark.parametrize(
    "wanted", [TaskFilter(), TaskFilter(status="failed", engine="mock", since=1.5, until=2.5)]
)
def test_a_task_filter_survives_conversion(wanted: TaskFilter) -> None:
    request = tasks.list_request(wanted, user="ann", size=7, token="t1")
    assert tasks.task_filter(request) == wanted
    assert (request.user_id, request.page_size, request.page_token) == ("ann", 7, "t1")
