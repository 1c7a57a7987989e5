"""Refusals that need a server of their own: limits, a full disk, a database that is gone."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.rpc.refusals import refusal
from tests.support.rpc.statuses import Code, chunk
from tests.unit.rpc.conftest import Serve, frame


@pytest.mark.slow
def test_an_ended_task_is_not_cancelled(serve: Serve) -> None:
    with serve(workers=1) as world:
        task_id = world.task(options={"fail_at": "0"}).task_id
        *_, last = world.stubs.tasks.WatchTask(task_pb.WatchTaskRequest(user_id="ann", task_id=task_id))
        assert last.task.status == "failed"
        cancel = task_pb.CancelTaskRequest(user_id="ann", task_id=task_id)
        code, error, _ = refusal(lambda: world.stubs.tasks.CancelTask(cancel))
        assert (code, error.reason) == (Code.FAILED_PRECONDITION, "TASK_ENDED")
        assert error.message == f"task {task_id} is failed; it cannot become cancelled"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"max_pixels": 160 * 120}, "face.png: the picture has more than 19200 pixels"),
        ({"max_video_seconds": 1}, "clip.mp4: the video lasts 2 s, more than 1"),
    ],
)
def test_media_over_the_limits_are_refused(serve: Serve, limit: dict[str, int], expected: str) -> None:
    with serve(**limit) as world:
        code, error, _ = refusal(world.task)
        assert (code, error.reason, error.message) == (Code.INVALID_ARGUMENT, "MEDIA_REFUSED", expected)


def test_too_many_uploads_are_refused_with_a_retry_delay(serve: Serve) -> None:
    with serve(max_uploads=1) as world:
        ended = threading.Event()
        first, second = world.stubs.begin(), world.stubs.begin()

        def held() -> Iterator[pb.UploadRequest]:
            yield frame(first, 0, b"0123")
            ended.wait(60)

        holding = world.stubs.uploads.StreamUpload(held())
        next(holding)
        calls: dict[str, Callable[[], object]] = {
            "StreamUpload": lambda: list(world.stubs.uploads.StreamUpload(iter([frame(second, 0, b"0123")]))),
            "UploadVideo": lambda: world.stubs.videos.UploadVideo(iter([chunk()])),
            "UploadChunk": lambda: world.stubs.uploads.UploadChunk(
                upload_pb.UploadChunkRequest(user_id="ann", upload_id=second, data=b"0123")
            ),
        }
        for name, call in calls.items():
            code, error, seconds = refusal(call)
            assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", 1), name
            assert "try again in a second" in error.message
        ended.set()
        list(holding)


def test_a_file_larger_than_the_free_space_is_refused_with_a_retry_delay(serve: Serve) -> None:
    with serve(max_file_size=2**60) as world:
        begin = upload_pb.BeginUploadRequest(
            user_id="ann", name="x.mp4", file_type="video", size=2**43, chunk_size=2**24
        )
        code, error, seconds = refusal(lambda: world.stubs.uploads.BeginUpload(begin))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "DISK_FULL", 30)
        assert "no room for" in error.message


def test_a_file_over_the_limit_is_refused_during_the_upload(serve: Serve) -> None:
    """The size was not announced. Retrying would not help, so there is no retry delay."""
    with serve(max_file_size=10) as world:
        chunks = [chunk(0), chunk(1), chunk(2)]
        code, error, seconds = refusal(lambda: world.stubs.videos.UploadVideo(iter(chunks)))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE", 0)
        assert "the limit of this server is 10" in error.message


def test_a_server_without_its_database_is_unavailable(serve: Serve, tmp_path: Path) -> None:
    with serve() as world:
        path = tmp_path / "data" / "facecli.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE more (x)")  # invalidates cached pages
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(bytes(path.stat().st_size))
        ask = upload_pb.ListUploadsRequest(user_id="ann")
        code, error, _ = refusal(lambda: world.stubs.uploads.ListUploads(ask))
        assert (code, error.reason) == (Code.UNAVAILABLE, "STORAGE_FAILED")
        assert error.retryable
        assert str(tmp_path) not in error.message


def test_a_dripping_upload_is_ended_and_keeps_its_chunks(serve: Serve) -> None:
    with serve(idle_limit=0.2, min_rate=2**30) as world:
        upload_id = world.stubs.begin(size=4000)
        ended = threading.Event()

        def dripping() -> Iterator[pb.UploadRequest]:
            for index in range(1000):
                yield frame(upload_id, 4 * index, b"0123")
                if ended.wait(0.02):
                    return

        call = world.stubs.uploads.StreamUpload(dripping())
        code, error, _ = refusal(lambda: list(call))
        ended.set()
        assert (code, error.reason) == (Code.DEADLINE_EXCEEDED, "IDLE_TOO_LONG")
        assert "what was stored is kept" in error.message
        kept = world.stubs.uploads.GetUpload(upload_pb.GetUploadRequest(user_id="ann", upload_id=upload_id))
        assert kept.upload.stored_chunks > 0
