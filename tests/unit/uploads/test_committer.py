"""Group commit: chunks of many uploads in one transaction, each acknowledged on its own."""

from dataclasses import replace

import pytest

from facecli.core.errors import StorageFailed, TakenOver
from facecli.uploads.service import UploadService
from facecli.uploads.upload import NewUpload, Upload
from tests.support.storage import CHUNK, Content, Storage, send, written
from tests.support.storage_faults import FaultyBlobs, Meeting

FILE = Content(size=2 * CHUNK + 7)
OTHER = Content(size=CHUNK - 1, seed=1)


def named(content: Content, name: str) -> NewUpload:
    return replace(content.new, name=name)


def test_many_uploads_begin_with_one_commit_and_are_found_again(
    upload_service: UploadService, storage: Storage
) -> None:
    wanted = [(named(OTHER, f"{number}.mp4"), False) for number in range(5)]
    begun = upload_service.begin_all(wanted)
    assert [upload.name for upload, _ in begun] == [new.name for new, _ in wanted]
    again = storage.upload_service().begin_all([*wanted, (wanted[0][0], True)])
    assert [upload.id for upload, _ in again[:5]] == [upload.id for upload, _ in begun]
    assert again[5][0].id not in {upload.id for upload, _ in begun}


def test_a_batch_is_acknowledged_chunk_by_chunk_and_completes_its_uploads(
    upload_service: UploadService, storage: Storage
) -> None:
    (large, _), (small, _) = upload_service.begin_all([(FILE.new, False), (OTHER.new, False)])
    with (
        upload_service.writer(large.id, owner="ann") as first,
        upload_service.writer(small.id, owner="ann") as second,
    ):
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        batch += [(first, written(first, FILE.frames(index))) for index in (1, 2)]
        acknowledged = list(upload_service.store_all(batch))
    assert [(upload.id, upload.stored_chunks, upload.completed) for upload in acknowledged] == [
        (large.id, 1, False),
        (small.id, 1, True),
        (large.id, 2, False),
        (large.id, 3, True),
    ]
    assert storage.content(acknowledged[-1]) == FILE.data
    assert storage.content(acknowledged[1]) == OTHER.data


def test_files_of_one_batch_are_flushed_side_by_side(storage: Storage) -> None:
    blobs = FaultyBlobs(storage.blobs.root)
    upload_service = storage.upload_service(blobs=blobs)
    (one, _), (other, _) = upload_service.begin_all([(FILE.new, True), (OTHER.new, True)])
    with (
        upload_service.writer(one.id, owner="ann") as first,
        upload_service.writer(other.id, owner="ann") as second,
    ):
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        blobs.flushing = Meeting(2)
        assert [upload.stored_chunks for upload in upload_service.store_all(batch)] == [1, 1]


def test_a_failed_flush_acknowledges_nothing_of_its_batch_and_breaks_one_file(
    storage: Storage,
) -> None:
    blobs = FaultyBlobs(storage.blobs.root)
    upload_service = storage.upload_service(blobs=blobs)
    (one, _), (other, _) = upload_service.begin_all([(FILE.new, True), (OTHER.new, True)])
    with (
        upload_service.writer(one.id, owner="ann") as first,
        upload_service.writer(other.id, owner="ann") as second,
    ):
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        blobs.unflushable = one.blob_key
        with pytest.raises(StorageFailed, match="EIO"):
            list(upload_service.store_all(batch))
        assert [len(upload_service.chunks(upload.id)) for upload in (one, other)] == [0, 0]
        blobs.unflushable = ""
        assert upload_service.store(*batch[1]).completed
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            upload_service.store(*batch[0])
    with upload_service.writer(one.id, owner="ann") as again:
        assert send(upload_service, again, FILE, range(3)).completed


def test_a_refused_chunk_does_not_stop_the_others_of_its_batch(
    upload_service: UploadService, storage: Storage
) -> None:
    begun = upload_service.begin_all([(named(FILE, f"{number}.mp4"), True) for number in range(3)])
    uploads: list[Upload] = [upload for upload, _ in begun]
    writers = [upload_service.writer(upload.id, owner="ann") for upload in uploads]
    opened = [writer.__enter__() for writer in writers]
    batch = [(writer, written(writer, FILE.frames(0))) for writer in opened]
    storage.repository().claim(uploads[1].id, now=1, expires_at=2)  # another server's writer has taken over
    acknowledged = upload_service.store_all(batch)
    assert next(acknowledged).id == uploads[0].id
    with pytest.raises(TakenOver):
        next(acknowledged)
    assert [len(upload_service.chunks(upload.id)) for upload in uploads] == [1, 0, 0]
    for writer in writers:
        writer.__exit__(None, None, None)


def test_the_first_writer_of_a_new_upload_yields_to_the_writer_of_another_process(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with (
        upload_service.writer(upload.id, owner="ann") as first,
        storage.upload_service().writer(upload.id, owner="ann") as second,
    ):
        chunk = written(first, FILE.frames(0))
        with pytest.raises(TakenOver):
            upload_service.store(first, chunk)
        assert second.epoch == 1


def test_chunks_lost_with_a_failed_flush_are_sent_again(storage: Storage) -> None:
    blobs = FaultyBlobs(storage.blobs.root)
    upload_service = storage.upload_service(blobs=blobs)
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 1])
        blobs.flush_fails = True
        with pytest.raises(StorageFailed):
            send(upload_service, writer, FILE, [2])
        with storage.blobs.path(upload.blob_key).open("r+b") as disk:
            disk.seek(CHUNK)
            disk.write(bytes(10))
    blobs.flush_fails = False
    with upload_service.writer(upload.id, owner="ann") as writer:
        assert [chunk.index for chunk in upload_service.chunks(upload.id)] == [0]
        finished = send(upload_service, writer, FILE, [1, 2])
    assert storage.content(finished) == FILE.data


def test_a_blob_lost_in_a_power_cut_is_created_again(upload_service: UploadService, storage: Storage) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.blobs.delete(upload.blob_key)
    later = storage.upload_service()
    assert later.begin(FILE.new)[0].id == upload.id
    with later.writer(upload.id, owner="ann") as writer:
        assert storage.content(send(later, writer, FILE, [0, 1, 2])) == FILE.data
