"""UploadService over a real connection: stored chunks, refusals and their statuses."""

import threading
from collections.abc import Iterator

import grpc
import pytest

from facecli.core.checksums import crc32c
from facecli.wire.generated import file_service_pb2
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import Stubs, frame

DATA = b"0123456789"  # three chunks of 4, 4 and 2 bytes


def whole(upload_id: str) -> list[video_pb.UploadRequest]:
    return [frame(upload_id, offset, DATA[offset : offset + 4]) for offset in (0, 4, 8)]


def test_every_chunk_is_acknowledged_and_the_last_one_completes(stubs: Stubs) -> None:
    answers = list(stubs.uploads.StreamUpload(iter(whole(stubs.begin()))))
    assert [(a.chunk_index, a.stored_bytes, a.status) for a in answers] == [
        (0, 4, "incomplete"),
        (1, 8, "incomplete"),
        (2, 10, "completed"),
    ]
    assert answers[-1].crc32c == crc32c(DATA)
    parts = list(stubs.files.Download(file_service_pb2.DownloadRequest(url=answers[-1].file_url)))
    assert (parts[0].size, parts[0].crc32c) == (10, crc32c(DATA))
    assert b"".join(part.data for part in parts) == DATA


def test_every_acknowledgement_says_where_the_time_of_its_stream_went(stubs: Stubs) -> None:
    answers = list(stubs.uploads.StreamUpload(iter(whole(stubs.begin()))))
    times = [answer.stages for answer in answers]
    assert all(answer.HasField("stages") for answer in answers)
    assert [each.elapsed_us for each in times] == sorted(each.elapsed_us for each in times)
    last = times[-1]
    assert min(last.receive_us, last.write_us, last.flush_us, last.commit_us) > 0
    assert last.flush_us + last.commit_us < last.elapsed_us


def test_chunks_may_come_in_any_order_and_twice(stubs: Stubs) -> None:
    first, second, third = whole(stubs.begin())
    answers = list(stubs.uploads.StreamUpload(iter([third, first, first, second])))
    assert [a.stored_bytes for a in answers] == [2, 6, 6, 10]
    assert answers[-1].crc32c == crc32c(DATA)


def test_one_chunk_may_travel_in_several_frames(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    frames = [
        video_pb.UploadRequest(upload_id=upload_id, user_id="ann", chunk=b"01"),
        video_pb.UploadRequest(offset=2, chunk=b"23", chunk_crc32c=crc32c(b"0123")),
        *whole(upload_id)[1:],
    ]
    assert list(stubs.uploads.StreamUpload(iter(frames)))[-1].crc32c == crc32c(DATA)


def test_a_damaged_chunk_is_refused_and_discarded(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    damaged = [frame(upload_id, 0, b"0123"), frame(upload_id, 4, b"4567", crc=1)]
    code, reason = refused(lambda: list(stubs.uploads.StreamUpload(iter(damaged))))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CHECKSUM_MISMATCH")
    kept = stubs.uploads.GetUpload(pb.GetUploadRequest(user_id="ann", upload_id=upload_id))
    assert [chunk.index for chunk in kept.chunks] == [0]


def test_a_second_writer_takes_over_and_the_first_is_aborted(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    go_on = threading.Event()

    def slowly() -> Iterator[video_pb.UploadRequest]:
        first, *rest = whole(upload_id)
        yield first
        go_on.wait(60)
        yield from rest

    old = stubs.uploads.StreamUpload(slowly())
    assert next(old).stored_bytes == 4
    new = list(stubs.uploads.StreamUpload(iter(whole(upload_id))))
    go_on.set()
    assert refused(lambda: list(old)) == (grpc.StatusCode.ABORTED, "TAKEN_OVER")
    assert new[-1].crc32c == crc32c(DATA)


def test_a_completed_upload_accepts_the_same_bytes_and_no_others(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    done = list(stubs.uploads.StreamUpload(iter(whole(upload_id))))[-1]
    again = list(stubs.uploads.StreamUpload(iter(whole(upload_id))))[-1]
    assert (again.status, again.file_url, again.crc32c) == (done.status, done.file_url, done.crc32c)
    other = [frame(upload_id, 4, b"XXXX")]
    assert refused(lambda: list(stubs.uploads.StreamUpload(iter(other)))) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "CHUNK_DIFFERS",
    )


def test_begin_returns_the_unfinished_upload_with_its_checksums(stubs: Stubs) -> None:
    request = pb.BeginUploadRequest(
        user_id="ann", name="clip.mp4", file_type="video", size=10, chunk_size=4, fingerprint=7
    )
    upload_id = stubs.uploads.BeginUpload(request).upload.upload_id
    list(stubs.uploads.StreamUpload(iter(whole(upload_id)[:2])))
    found = stubs.uploads.BeginUpload(request)
    assert found.upload.upload_id == upload_id
    assert [(c.index, c.size, c.crc32c) for c in found.chunks] == [
        (0, 4, crc32c(b"0123")),
        (1, 4, crc32c(b"4567")),
    ]
    request.fresh = True
    assert stubs.uploads.BeginUpload(request).upload.upload_id != upload_id


def test_single_chunks_complete_an_upload_in_any_order(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    for index in (2, 0, 1):
        data = DATA[index * 4 : index * 4 + 4]
        answer = stubs.uploads.UploadChunk(
            pb.UploadChunkRequest(
                user_id="ann", upload_id=upload_id, chunk_index=index, data=data, crc32c=crc32c(data)
            )
        )
    assert (answer.upload.status, answer.upload.crc32c) == ("completed", crc32c(DATA))


def test_uploads_are_listed_newest_first_in_pages(stubs: Stubs) -> None:
    made = [stubs.begin() for _ in range(5)]
    listed: list[str] = []
    token = ""
    while True:
        page = stubs.uploads.ListUploads(pb.ListUploadsRequest(user_id="ann", page_size=2, page_token=token))
        listed += [upload.upload_id for upload in page.uploads]
        token = page.next_page_token
        if not token:
            break
    assert listed == made[::-1]


def test_a_cancelled_upload_is_gone(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    stubs.uploads.CancelUpload(pb.CancelUploadRequest(user_id="ann", upload_id=upload_id))
    ask = pb.GetUploadRequest(user_id="ann", upload_id=upload_id)
    assert refused(lambda: stubs.uploads.GetUpload(ask)) == (
        grpc.StatusCode.NOT_FOUND,
        "UPLOAD_NOT_FOUND",
    )


def test_the_upload_of_another_user_looks_like_an_unknown_one(stubs: Stubs) -> None:
    upload_id = stubs.begin()
    for asked in (upload_id, "0" * 32):
        with pytest.raises(grpc.RpcError) as caught:
            stubs.uploads.GetUpload(pb.GetUploadRequest(user_id="bob", upload_id=asked))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert caught.value.details() == f"there is no upload {asked}"


BEGIN = {"user_id": "ann", "name": "clip.mp4", "file_type": "video", "size": 10, "chunk_size": 4}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a/b.mp4"},
        {"name": ".."},
        {"name": "a\x00b"},
        {"name": "a\u202eb"},
        {"name": "x" * 256},
        {"size": 0},
        {"size": -1},
        {"chunk_size": -1},
        {"chunk_size": 2**31 - 1},
        {"file_type": "audio"},
    ],
    ids=repr,
)
def test_begin_refuses_an_impossible_file(stubs: Stubs, wrong: dict[str, object]) -> None:
    request = pb.BeginUploadRequest(**{**BEGIN, **wrong})  # type: ignore[arg-type]
    assert refused(lambda: stubs.uploads.BeginUpload(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    )


def test_a_file_over_the_limit_is_refused_before_a_byte_is_sent(stubs: Stubs) -> None:
    request = pb.BeginUploadRequest(**{**BEGIN, "size": 2**40, "chunk_size": 2**24})  # type: ignore[arg-type]
    assert refused(lambda: stubs.uploads.BeginUpload(request)) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "FILE_TOO_LARGE",
    )


@pytest.mark.parametrize(
    ("offset", "data"),
    [(1, b"x"), (-4, b"0123"), (12, b"x"), (2**40, b"x"), (0, b"01234"), (0, b"012"), (8, b"890"), (0, b"")],
)
def test_a_frame_that_fits_no_chunk_is_refused(stubs: Stubs, offset: int, data: bytes) -> None:
    wrong = [frame(stubs.begin(), offset, data)]
    assert refused(lambda: list(stubs.uploads.StreamUpload(iter(wrong)))) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    )


def test_an_empty_stream_is_refused(stubs: Stubs) -> None:
    code, reason = refused(lambda: list(stubs.uploads.StreamUpload(iter([]))))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT")
