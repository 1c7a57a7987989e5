"""One stream of frames: stored and refused chunks, and the safety of acknowledged bytes."""

from dataclasses import replace

import pytest

from facecli.core.checksums import crc32c
from facecli.core.errors import ChecksumMismatch, ChunkDiffers, InvalidInput
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Frame, Upload, UploadStatus
from tests.support.storage import CHUNK, FRAME, Content, Storage, cut, send, send_all, written

FILE = Content(size=3 * CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(FILE.new)[0]


@pytest.mark.parametrize("indexes", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [0, 0, 1, 1, 2, 1, 3]])
def test_chunks_may_come_in_any_order_and_again(
    upload_service: UploadService, storage: Storage, upload: Upload, indexes: list[int]
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        finished = send(upload_service, writer, FILE, indexes)
    assert finished.completed
    assert storage.content(finished) == FILE.data


@pytest.mark.parametrize("size", [1, 7, FRAME, CHUNK - 1, CHUNK])
def test_a_chunk_may_come_in_frames_of_any_size(
    upload_service: UploadService, storage: Storage, upload: Upload, size: int
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        for index in range(4):
            upload_service.store(writer, written(writer, cut(FILE.frame(index), size)))
    assert storage.content(upload_service.get(upload.id, owner="ann")) == FILE.data


def test_a_chunk_without_a_checksum_is_taken(upload_service: UploadService, upload: Upload) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        chunk = writer.write(replace(FILE.frame(0), chunk_crc32c=None, ends_chunk=False))
        assert chunk and chunk.crc32c == crc32c(FILE.chunk(0))


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame(offset=1, data=b"x"), "nor begins a chunk"),
        (Frame(offset=-CHUNK, data=b"x"), "nor begins a chunk"),
        (Frame(offset=FRAME, data=b"x"), "nor begins a chunk"),
        (Frame(offset=4 * CHUNK, data=b"x"), "outside"),
        (Frame(offset=2**62 * CHUNK, data=b"x"), "outside"),
        (Frame(offset=0, data=b""), "do not fit"),
        (Frame(offset=0, data=b"x" * (CHUNK + 1)), "do not fit"),
        (Frame(offset=0, data=b"x" * (CHUNK - 1), ends_chunk=True), "do not fit"),
        (Frame(offset=3 * CHUNK, data=b"x" * 8), "do not fit"),
        (Frame(offset=3 * CHUNK, data=b"x" * 6, ends_chunk=True), "do not fit"),
    ],
)
def test_a_frame_at_a_wrong_offset_is_refused_and_changes_nothing(
    upload_service: UploadService, upload: Upload, frame: Frame, why: str
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        before = send(upload_service, writer, FILE, [1])
        with pytest.raises(InvalidInput, match=why):
            writer.write(frame)
        assert upload_service.get(upload.id, owner="ann") == before
        assert send(upload_service, writer, FILE, [0, 2, 3]).completed


def test_a_gap_between_frames_is_refused(upload_service: UploadService, upload: Upload) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        first, _, third, *_ = FILE.frames(0)
        writer.write(first)
        with pytest.raises(InvalidInput, match="nor begins a chunk"):
            writer.write(third)


def test_a_chunk_can_be_abandoned_for_another(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        writer.write(OTHER.frames(0)[0])
        writer.write(FILE.frames(1)[0])
        assert storage.content(send(upload_service, writer, FILE, range(4))) == FILE.data


def test_a_damaged_chunk_leaves_the_previous_state(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        before = send(upload_service, writer, FILE, [0])
        for index in (0, 1):
            damaged = replace(OTHER.frame(index), chunk_crc32c=FILE.frame(index).chunk_crc32c)
            with pytest.raises(ChecksumMismatch):
                writer.write(damaged)
        assert upload_service.get(upload.id, owner="ann") == before
        (chunk,) = upload_service.chunks(upload.id)
        assert storage.stored(before, chunk) == FILE.chunk(0)
        finished = send(upload_service, writer, FILE, [1, 2, 3])
    assert storage.content(finished) == FILE.data
    assert finished.blob_key == upload.blob_key


def test_acknowledged_bytes_stay_until_others_are_acknowledged(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        before = send(upload_service, writer, FILE, [0])
        replacement = written(writer, OTHER.frames(0))
        (chunk,) = upload_service.chunks(upload.id)
        assert storage.stored(before, chunk) == FILE.chunk(0)
        after = upload_service.store(writer, replacement)
        (chunk,) = upload_service.chunks(upload.id)
        assert storage.stored(after, chunk) == OTHER.chunk(0)
        assert after.stored_bytes == before.stored_bytes
        finished = send(upload_service, writer, FILE, [1, 2, 3])
    assert storage.content(finished) == OTHER.chunk(0) + FILE.data[CHUNK:]
    assert finished.crc32c == crc32c(storage.content(finished))
    assert storage.blobs.list("uploads") == [finished.blob_key]


@pytest.mark.parametrize("restarted", [False, True])
def test_replaced_chunks_do_not_overlap(
    upload_service: UploadService, storage: Storage, upload: Upload, restarted: bool
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 1, 2])
        send(upload_service, writer, OTHER, [0])
        if not restarted:
            send(upload_service, writer, OTHER, [1])
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, OTHER, [1, 2])
    for chunk in upload_service.chunks(upload.id):
        assert storage.stored(upload, chunk) == OTHER.chunk(chunk.index)


def test_repeated_chunks_take_no_space(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        for _ in range(20):
            send(upload_service, writer, FILE, [0, 1])
        assert storage.blobs.path(upload.blob_key).stat().st_size <= 5 * CHUNK
        finished = send(upload_service, writer, FILE, [2, 3])
    assert finished.blob_key == upload.blob_key
    assert storage.content(finished) == FILE.data


def test_a_file_of_unknown_size_ends_with_its_last_chunk(
    upload_service: UploadService, storage: Storage
) -> None:
    upload = send_all(upload_service, FILE, new=FILE.new_of_unknown_size)
    assert (upload.status, upload.size) == (UploadStatus.COMPLETED, FILE.size)
    assert storage.content(upload) == FILE.data


def test_the_last_chunk_of_a_file_of_unknown_size_may_come_first(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new_of_unknown_size)
    with upload_service.writer(upload.id, owner="ann") as writer:
        assert send(upload_service, writer, FILE, [3]).size == FILE.size
        assert storage.content(send(upload_service, writer, FILE, [0, 1, 2])) == FILE.data


def test_bytes_of_an_abandoned_longer_last_chunk_are_cut_off(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new_of_unknown_size)
    with upload_service.writer(upload.id, owner="ann") as writer:
        writer.write(Frame(offset=3 * CHUNK, data=b"x" * 500))
    with upload_service.writer(upload.id, owner="ann") as writer:
        finished = send(upload_service, writer, FILE, range(4))
    assert storage.content(finished) == FILE.data


def test_a_complete_upload_accepts_the_same_bytes_and_no_others(
    upload_service: UploadService, storage: Storage
) -> None:
    upload = send_all(upload_service, FILE)
    with upload_service.writer(upload.id, owner="ann") as writer:
        again = send(upload_service, writer, FILE, range(4))
        assert (again.status, again.crc32c) == (upload.status, upload.crc32c)
        with pytest.raises(ChunkDiffers):
            written(writer, OTHER.frames(2))
        send(upload_service, writer, FILE, [2])
    assert storage.content(upload) == FILE.data


def test_bytes_that_were_sent_before_the_end_and_come_after_it_are_refused(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 1, 2])
        late = written(writer, OTHER.frames(0))
        finished = upload_service.put_chunk(upload.id, FILE.frame(3), owner="ann")
        assert finished.completed
        with pytest.raises(ChunkDiffers):
            upload_service.store(writer, late)
    assert storage.content(finished) == FILE.data
    assert upload_service.get(upload.id, owner="ann").crc32c == crc32c(FILE.data)


def test_a_stream_that_goes_on_after_the_end_writes_nothing_into_the_file(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 1, 2])
        first, *rest = OTHER.frames(0)
        writer.write(first)
        finished = upload_service.put_chunk(upload.id, FILE.frame(3), owner="ann")
        with pytest.raises(ChunkDiffers):
            written(writer, rest)
        assert storage.content(finished) == FILE.data
