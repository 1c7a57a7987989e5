"""Several writers of one upload: takeover, and single chunks in parallel with a stream."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from facecli.core.checksums import crc32c
from facecli.core.errors import ChecksumMismatch, InvalidInput, TakenOver
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Frame, Upload
from tests.support.storage import CHUNK, Content, Storage, send, written

FILE = Content(size=3 * CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(FILE.new)[0]


def test_a_second_writer_takes_over_and_the_first_adds_nothing(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as first:
        send(upload_service, first, OTHER, [0])
        again, unstored = written(first, OTHER.frames(0)), written(first, OTHER.frames(1))
        first.write(OTHER.frames(2)[0])
        with upload_service.writer(upload.id, owner="ann") as second:
            on_disk = storage.content(upload)
            with pytest.raises(TakenOver):
                first.write(OTHER.frames(2)[1])
            for late in (again, unstored):
                with pytest.raises(TakenOver):
                    upload_service.store(first, late)
            assert storage.content(upload) == on_disk
            assert [chunk.index for chunk in upload_service.chunks(upload.id)] == [0]
            finished = send(upload_service, second, FILE, range(4))
        with pytest.raises(TakenOver):
            first.write(OTHER.frames(3)[0])
    assert storage.content(finished) == FILE.data


def test_the_end_of_an_old_stream_does_not_end_the_new_one(
    upload_service: UploadService, upload: Upload
) -> None:
    old = upload_service.writer(upload.id, owner="ann")
    old.__enter__()
    with upload_service.writer(upload.id, owner="ann") as new:
        send(upload_service, new, FILE, [0])
        old.__exit__(None, None, None)
        assert send(upload_service, new, FILE, [1, 2, 3]).completed


def test_a_writer_of_another_process_takes_over_too(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as first:
        chunk = written(first, FILE.frames(0))
        storage.repository().claim(upload.id, now=1, expires_at=2)
        with pytest.raises(TakenOver):
            upload_service.store(first, chunk)
    assert upload_service.chunks(upload.id) == []


def test_single_chunks_in_parallel_and_any_order_complete_the_file(
    upload_service: UploadService, storage: Storage
) -> None:
    file = Content(size=40 * CHUNK - 3)
    upload, _ = upload_service.begin(file.new)
    start = threading.Barrier(8)

    def put(worker: int) -> None:
        start.wait()
        for index in reversed(range(worker // 2, 40, 4)):
            upload_service.put_chunk(upload.id, file.frame(index), owner="ann")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    finished = upload_service.get(upload.id, owner="ann")
    assert (finished.completed, finished.stored_bytes) == (True, file.size)
    assert storage.content(finished) == file.data


def test_different_bytes_for_one_chunk_in_parallel_end_as_one_of_them(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    start = threading.Barrier(8)

    def put(worker: int) -> None:
        start.wait()
        for _ in range(5):
            upload_service.put_chunk(upload.id, Content(size=FILE.size, seed=worker).frame(0), owner="ann")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    (chunk,) = upload_service.chunks(upload.id)
    assert crc32c(storage.stored(upload, chunk)) == chunk.crc32c
    with upload_service.writer(upload.id, owner="ann") as writer:
        finished = send(upload_service, writer, FILE, [1, 2, 3])
    assert crc32c(storage.content(finished)) == finished.crc32c


def test_a_single_chunk_takes_nothing_from_a_running_stream(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        first, *rest = FILE.frames(0)
        writer.write(first)
        upload_service.put_chunk(upload.id, FILE.frame(2), owner="ann")
        upload_service.store(writer, written(writer, rest))
        finished = send(upload_service, writer, FILE, [1, 3])
    assert storage.content(finished) == FILE.data


@pytest.mark.parametrize("part", [b"", b"x" * (CHUNK - 1)])
def test_a_single_chunk_comes_whole(upload_service: UploadService, upload: Upload, part: bytes) -> None:
    for ends_chunk in (False, True):
        with pytest.raises(InvalidInput):
            upload_service.put_chunk(
                upload.id, Frame(offset=0, data=part, ends_chunk=ends_chunk), owner="ann"
            )
    assert upload_service.chunks(upload.id) == []


def test_a_damaged_single_chunk_is_refused(upload_service: UploadService, upload: Upload) -> None:
    with pytest.raises(ChecksumMismatch):
        upload_service.put_chunk(upload.id, replace(FILE.frame(0), chunk_crc32c=1), owner="ann")
    assert upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann").stored_chunks == 1
