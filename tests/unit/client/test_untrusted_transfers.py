"""Single answers about files that a right server never gives, and what the client does about each."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from facecli.core.errors import BytesDiffer, FacecliError, InvalidInput, UnexpectedResponse
from facecli.core.progress import NullProgress
from facecli.uploads.stage_times import StageTimes
from facecli.wire.generated import file_service_pb2 as files
from facecli.wire.generated import upload_service_pb2 as uploads
from tests.support.garbage.clients import Clients
from tests.support.garbage.plausible import (
    DATA,
    PLAUSIBLE,
    acknowledgement,
    begun,
    chunk,
    upload,
)
from tests.support.garbage.server import Answer, GarbageServer, of
from tests.unit.client.conftest import video_file

BOMB = "\x1b]0;owned\x07\u202e\x9b31m"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    return path


def send(clients: Clients, path: Path) -> FacecliError | None:
    (outcome,) = clients.uploads.send([video_file(path)], chunk_size=4, retry_for=60)
    return outcome.error


def promise(size: int) -> files.DownloadResponse:
    return files.DownloadResponse(size=size, crc32c=1)


@pytest.mark.parametrize(
    "answer",
    [
        of(promise(1000), files.DownloadResponse(data=bytes(500)), endless=True),
        of(promise(-1)),
        of(promise(0), files.DownloadResponse(data=b"x")),
        of(files.DownloadResponse(data=DATA)),
        of(promise(1000), promise(2000)),
    ],
    ids=["more than promised", "negative size", "bytes of an empty file", "no promise", "two promises"],
)
def test_a_download_writes_no_more_than_was_promised(
    garbage: GarbageServer, clients: Clients, tmp_path: Path, answer: object
) -> None:
    garbage.answers = {"Download": answer}  # type: ignore[dict-item]
    with pytest.raises(UnexpectedResponse, match=garbage.address):
        clients.files.download("/outputs/x/y", tmp_path / "out", retry_for=60, progress=NullProgress())
    written = [each.stat().st_size for each in tmp_path.iterdir()]
    assert sum(written) <= 1000


def test_a_download_that_cannot_fit_on_the_disk_is_refused_before_a_byte_is_written(
    garbage: GarbageServer, clients: Clients, tmp_path: Path
) -> None:
    garbage.answers = {"Download": of(promise(2**62), files.DownloadResponse(data=DATA), endless=True)}
    with pytest.raises(FacecliError, match="more bytes, but only"):
        clients.files.download("/outputs/x/y", tmp_path / "out", retry_for=60, progress=NullProgress())
    assert list(tmp_path.iterdir()) == []


def test_a_large_download_in_tiny_parts_ends(
    garbage: GarbageServer, clients: Clients, tmp_path: Path
) -> None:
    garbage.answers = {"Download": of(promise(2**30), files.DownloadResponse(data=DATA), endless=True)}
    with pytest.raises(UnexpectedResponse, match="parts of less than"):
        clients.files.download("/outputs/x/y", tmp_path / "out", retry_for=60, progress=NullProgress())


def test_a_download_that_always_starts_over_ends(
    garbage: GarbageServer, clients: Clients, tmp_path: Path
) -> None:
    half = (promise(10).SerializeToString(), files.DownloadResponse(data=DATA[:5]).SerializeToString())

    def only_from_the_start(requests: list[bytes]) -> Answer:
        if requests and files.DownloadRequest.FromString(requests[0]).offset:
            return Answer(code=grpc.StatusCode.INVALID_ARGUMENT, text="no")
        return Answer(messages=half, reads=True)

    garbage.answers = {"Download": only_from_the_start}
    (tmp_path / "out.part").write_bytes(DATA)
    with pytest.raises(InvalidInput):
        clients.files.download("/outputs/x/y", tmp_path / "out", retry_for=60, progress=NullProgress())
    assert garbage.count("Download") < 10


@pytest.mark.parametrize(
    "wrong",
    [
        begun(uploads.BeginUploadResponse(upload=upload(), chunks=[chunk(9)])),
        *(
            begun(uploads.BeginUploadResponse(upload=upload(**dict[str, Any]([(name, value)]))))
            for name, value in [
                *(("chunk_size", size) for size in (0, -1, 2**31 - 1)),
                *(("size", size) for size in (0, -1, 11, 2**62)),
                *(("stored_bytes", stored) for stored in (-1, 11)),
                *(("upload_id", text) for text in ("", BOMB, "x" * 2000)),
                ("status", ""),
            ]
        ),
        uploads.BeginUploadsResponse(),
        begun(*[uploads.BeginUploadResponse(upload=upload())] * 2),
        begun(uploads.BeginUploadResponse()),
    ],
)
def test_an_impossible_upload_is_an_unexpected_response(
    garbage: GarbageServer, clients: Clients, path: Path, wrong: uploads.BeginUploadsResponse
) -> None:
    garbage.answers = {**PLAUSIBLE, "BeginUploads": of(wrong)}
    assert isinstance(send(clients, path), UnexpectedResponse)
    assert (garbage.count("BeginUploads"), garbage.count("StreamUpload")) == (1, 0)


def test_a_chunk_of_one_byte_in_a_large_file_is_refused(
    garbage: GarbageServer, clients: Clients, path: Path
) -> None:
    size = 2_000_000
    path.write_bytes(bytes(size))
    wrong = uploads.BeginUploadResponse(upload=upload(size=size, chunk_size=1))
    garbage.answers = {"BeginUploads": of(begun(wrong))}
    error = send(clients, path)
    assert isinstance(error, UnexpectedResponse)
    assert "an impossible chunk size for 2000000 bytes: 1" in error.message


@pytest.mark.parametrize(
    "wrong",
    [
        [acknowledgement(0, 8)],
        [acknowledgement(-1, 8)],
        [acknowledgement(1, 11)],
        [acknowledgement(1, -1)],
        [acknowledgement(1, 8), acknowledgement(2, 7)],
        [acknowledgement(1, 8, upload_id="e" * 32)],
        [acknowledgement(1, 8), acknowledgement(2, 10, status="completed")],
    ],
    ids=["never sent", "negative", "too many", "less than none", "backwards", "of another", "no checksum"],
)
def test_an_impossible_acknowledgement_is_an_unexpected_response(
    garbage: GarbageServer, clients: Clients, path: Path, wrong: list[uploads.StreamUploadResponse]
) -> None:
    garbage.answers = {**PLAUSIBLE, "StreamUpload": of(*wrong, reads=True)}
    assert isinstance(send(clients, path), UnexpectedResponse)


def test_acknowledgements_without_progress_do_not_go_on_for_ever(
    garbage: GarbageServer, clients: Clients, path: Path
) -> None:
    garbage.answers = {**PLAUSIBLE, "StreamUpload": of(acknowledgement(1, 4), endless=True, reads=True)}
    error = send(clients, path)
    assert isinstance(error, UnexpectedResponse)
    assert "messages without progress" in error.message


@pytest.mark.parametrize("upload_ids", [["f" * 32], [f"{number:032}" for number in range(50)]])
def test_an_upload_that_is_complete_with_other_bytes_every_time_ends(
    garbage: GarbageServer, clients: Clients, path: Path, upload_ids: list[str]
) -> None:
    following = iter(upload_ids * 50)

    def completed(requests: list[bytes]) -> Answer:
        wrong = uploads.BeginUploadResponse(
            upload=upload("completed", upload_id=next(following)), chunks=[chunk(0, b"abcd")]
        )
        return Answer(messages=(begun(wrong).SerializeToString(),))

    garbage.answers = {"BeginUploads": completed}
    assert isinstance(send(clients, path), BytesDiffer)
    assert garbage.count("BeginUploads") < 5


def test_stage_times_are_the_newest_of_each_stream_and_wrong_ones_end_no_upload(
    garbage: GarbageServer, clients: Clients, path: Path
) -> None:
    assert clients.uploads.stages is None
    times = [uploads.StageTimes(elapsed_us=us, commit_us=-1) for us in (1_000_000, 3_000_000)]
    breaks = [acknowledgement(1, 8, stages=each) for each in times]
    garbage.answers = {**PLAUSIBLE, "StreamUpload": of(*breaks, reads=True)}
    send(clients, path)
    streams = garbage.count("StreamUpload")
    assert streams > 1
    assert clients.uploads.stages == StageTimes(elapsed=3.0 * streams)
