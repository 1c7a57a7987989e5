"""Faults of disk and database: nothing more is acknowledged, nothing acknowledged is lost."""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from facecli.core.errors import (
    ChunkDiffers,
    DiskFull,
    FacecliError,
    StorageFailed,
    TakenOver,
    Unavailable,
    UploadNotFound,
)
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from tests.support.storage import CHUNK, Content, Storage, send, written
from tests.support.storage_faults import FaultyBlobs, FaultyRows, Gate

FILE = Content(size=3 * CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)
THIRD = Content(size=FILE.size, seed=2)


@pytest.fixture
def blobs(storage: Storage, tmp_path: Path) -> FaultyBlobs:
    return FaultyBlobs(tmp_path / "data")


@pytest.fixture
def repository(storage: Storage) -> FaultyRows:
    return storage.opened(FaultyRows)


@pytest.fixture
def upload_service(storage: Storage, repository: FaultyRows, blobs: FaultyBlobs) -> UploadService:
    return storage.upload_service(repository=repository, blobs=blobs)


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(FILE.new)[0]


def test_a_chunk_that_was_not_flushed_is_not_committed(
    upload_service: UploadService, blobs: FaultyBlobs, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0])
        blobs.flush_fails = True
        with pytest.raises(StorageFailed):
            send(upload_service, writer, FILE, [1])
    assert [chunk.index for chunk in upload_service.chunks(upload.id)] == [0]


def test_after_a_failed_flush_nothing_is_acknowledged_until_the_file_is_reopened(
    upload_service: UploadService, blobs: FaultyBlobs, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        waiting = written(writer, FILE.frames(0))
        blobs.flush_fails = True
        with pytest.raises(StorageFailed, match="EIO"):
            upload_service.put_chunk(upload.id, FILE.frame(1), owner="ann")
        blobs.flush_fails = False  # the kernel reports lost bytes only once
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            upload_service.store(writer, waiting)
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            upload_service.put_chunk(upload.id, FILE.frame(2), owner="ann")
    assert upload_service.chunks(upload.id) == []
    with upload_service.writer(upload.id, owner="ann") as writer:
        assert storage.content(send(upload_service, writer, FILE, range(4))) == FILE.data


def test_a_chunk_the_database_did_not_take_is_sent_again(
    upload_service: UploadService, repository: FaultyRows, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        repository.refuses_chunks = True
        with pytest.raises(Unavailable):
            send(upload_service, writer, FILE, [0])
    repository.refuses_chunks = False
    assert upload_service.chunks(upload.id) == []
    with upload_service.writer(upload.id, owner="ann") as writer:
        assert storage.content(send(upload_service, writer, FILE, range(4))) == FILE.data


def test_a_commit_without_an_answer_is_not_written_over(
    upload_service: UploadService, repository: FaultyRows, upload: Upload, storage: Storage
) -> None:
    repository.forgets_to_answer = True
    with pytest.raises(Unavailable):
        upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
    repository.forgets_to_answer = False
    with upload_service.writer(upload.id, owner="ann") as writer:
        writer.write(OTHER.frames(0)[0])
    (chunk,) = upload_service.chunks(upload.id)
    assert storage.stored(upload, chunk) == FILE.chunk(0)


def test_a_replacement_of_unknown_outcome_is_not_written_over_by_an_open_writer(
    upload_service: UploadService, repository: FaultyRows, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, OTHER, [0])
        repository.forgets_to_answer = True
        with pytest.raises(Unavailable):
            upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
        repository.forgets_to_answer = False
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            written(writer, THIRD.frames(0))
    (chunk,) = upload_service.chunks(upload.id)
    assert storage.stored(upload, chunk) == FILE.chunk(0)
    with upload_service.writer(upload.id, owner="ann"):
        assert [kept.index for kept in upload_service.chunks(upload.id)] == [0]


def test_a_full_disk_keeps_what_was_stored_and_goes_on_when_there_is_room(
    upload_service: UploadService, blobs: FaultyBlobs, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0])
        blobs.disk_full = True
        with pytest.raises(DiskFull):
            send(upload_service, writer, FILE, [1])
    blobs.disk_full = False
    again, chunks = upload_service.begin(FILE.new)
    assert (again.id, [chunk.index for chunk in chunks]) == (upload.id, [0])
    with upload_service.writer(upload.id, owner="ann") as writer:
        assert storage.content(send(upload_service, writer, FILE, [1, 2, 3])) == FILE.data


@pytest.mark.parametrize("fault", ["refuses_completion", "disk_full"])
def test_the_next_begin_completes_an_upload_whose_completion_failed(
    upload_service: UploadService,
    repository: FaultyRows,
    blobs: FaultyBlobs,
    upload: Upload,
    storage: Storage,
    fault: str,
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, OTHER, [0])
        send(upload_service, writer, FILE, [0, 1, 2])
        last = written(writer, FILE.frames(3))
        repository.refuses_completion = fault == "refuses_completion"
        blobs.disk_full = fault == "disk_full"
        with pytest.raises((DiskFull, Unavailable)):
            upload_service.store(writer, last)
    repository.refuses_completion = blobs.disk_full = False
    assert not upload_service.get(upload.id, owner="ann").completed
    finished, _ = upload_service.begin(FILE.new)
    assert storage.content(finished) == FILE.data
    assert storage.blobs.list("uploads") == [finished.blob_key]


def test_a_takeover_waits_for_a_running_commit_and_keeps_its_chunk(
    upload_service: UploadService, blobs: FaultyBlobs, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as first, ThreadPoolExecutor(3) as pool:
        chunk = written(first, FILE.frames(0))
        blobs.flushing.close()
        storing = pool.submit(upload_service.store, first, chunk)
        blobs.flushing.reached.wait()
        newer = upload_service.writer(upload.id, owner="ann")
        taking_over = pool.submit(newer.__enter__)
        single = pool.submit(upload_service.put_chunk, upload.id, OTHER.frame(0), owner="ann")
        assert not taking_over.done()
        assert not single.done()
        blobs.flushing.open()
        assert storing.result().stored_chunks == 1
        second = taking_over.result()
        single.result()
        with pytest.raises(TakenOver):
            first.write(FILE.frames(1)[0])
        (stored,) = upload_service.chunks(upload.id)
        assert stored.token != chunk.token
        assert storage.stored(upload, stored) == OTHER.chunk(0)
        assert storage.stored(upload, chunk) == bytes(CHUNK), "freed once the other one counted"
        assert storage.content(send(upload_service, second, FILE, range(4))) == FILE.data


@pytest.mark.parametrize(("refused", "error"), [(False, ChunkDiffers), (True, StorageFailed)])
def test_a_file_is_complete_after_the_commit_and_not_before(
    upload_service: UploadService,
    repository: FaultyRows,
    upload: Upload,
    refused: bool,
    error: type[FacecliError],
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(2) as pool:
        send(upload_service, writer, FILE, [0, 1, 2])
        chunk = written(writer, FILE.frames(3))
        repository.committing = Gate()
        repository.committing.close()
        storing = pool.submit(upload_service.store, writer, chunk)
        repository.committing.reached.wait()
        other = pool.submit(upload_service.put_chunk, upload.id, OTHER.frame(0), owner="ann")
        early = wait([other], timeout=0.2).done
        repository.refuses_chunks = refused
        repository.committing.open()
        wait([storing])
        assert not early
        with pytest.raises(error):
            other.result()
    assert upload_service.get(upload.id, owner="ann").completed is not refused


def test_a_cancel_in_the_middle_of_a_commit_leaves_nothing(
    upload_service: UploadService, blobs: FaultyBlobs, upload: Upload, storage: Storage
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(1) as pool:
        send(upload_service, writer, FILE, [0, 1, 2])
        chunk = written(writer, FILE.frames(3))
        blobs.flushing.close()
        storing = pool.submit(upload_service.store, writer, chunk)
        blobs.flushing.reached.wait()
        upload_service.cancel(upload.id, owner="ann")
        blobs.flushing.open()
        with pytest.raises(UploadNotFound):
            storing.result()
    assert storage.blobs.list("uploads") == []
