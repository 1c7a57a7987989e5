"""The life of an upload: created, resumed, listed, cancelled, expired."""

from dataclasses import replace

import pytest

from facecli.core.checksums import crc32c
from facecli.core.errors import FileTooLarge, InvalidInput, UploadNotFound, UploadUnfinished
from facecli.uploads.registry import new_upload_id
from facecli.uploads.service import UploadService
from facecli.uploads.upload import UploadStatus
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, send, send_all, stage

FILE = Content(size=3 * CHUNK + 7)


def test_a_sent_file_is_complete_and_its_checksum_known(
    upload_service: UploadService, storage: Storage
) -> None:
    upload = send_all(upload_service, FILE)
    assert upload.status is UploadStatus.COMPLETED
    assert (upload.size, upload.stored_bytes, upload.stored_chunks) == (FILE.size, FILE.size, 4)
    assert upload.crc32c == crc32c(FILE.data)
    assert storage.content(upload) == FILE.data
    assert upload_service.file(upload.file_url, owner="ann") == upload


def test_the_same_file_resumes_after_a_restart(upload_service: UploadService, storage: Storage) -> None:
    upload, chunks = upload_service.begin(FILE.new)
    assert chunks == []
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 2])
    after_restart = storage.upload_service()
    again, chunks = after_restart.begin(FILE.new)
    assert again.id == upload.id
    assert [(chunk.index, chunk.crc32c) for chunk in chunks] == [
        (0, crc32c(FILE.chunk(0))),
        (2, crc32c(FILE.chunk(2))),
    ]
    with after_restart.writer(again.id, owner="ann") as writer:
        finished = send(after_restart, writer, FILE, [1, 3])
    assert storage.content(finished) == FILE.data


def test_a_complete_file_is_found_complete(upload_service: UploadService) -> None:
    upload = send_all(upload_service, FILE)
    found, chunks = upload_service.begin(FILE.new)
    assert found == upload
    assert len(chunks) == 4


def test_a_fresh_upload_is_another_one(upload_service: UploadService) -> None:
    first, _ = upload_service.begin(FILE.new)
    second, _ = upload_service.begin(FILE.new, fresh=True)
    third, _ = upload_service.begin(FILE.new, upload_id=new_upload_id())
    assert len({first.id, second.id, third.id}) == 3


def test_two_files_of_one_name_are_two_uploads(upload_service: UploadService) -> None:
    first, _ = upload_service.begin(FILE.new)
    second, _ = upload_service.begin(replace(FILE.new, fingerprint=1))
    assert first.id != second.id


def test_the_upload_of_another_user_is_not_found(upload_service: UploadService) -> None:
    upload = send_all(upload_service, FILE)
    frame = FILE.frame(0)
    with pytest.raises(UploadNotFound) as unknown:
        upload_service.get("nope", owner="bob")
    for act in (
        lambda: upload_service.get(upload.id, owner="bob"),
        lambda: upload_service.file(upload.file_url, owner="bob"),
        lambda: upload_service.put_chunk(upload.id, frame, owner="bob"),
        lambda: upload_service.cancel(upload.id, owner="bob"),
        lambda: upload_service.writer(upload.id, owner="bob").__enter__(),
    ):
        with pytest.raises(UploadNotFound) as theirs:
            act()
        assert str(theirs.value) == str(unknown.value).replace("nope", upload.id)
    assert upload_service.listed(owner="bob", limit=9, before="") == []
    assert upload_service.begin(replace(FILE.new, owner="bob"))[0].id != upload.id


def test_an_unfinished_upload_is_not_a_file(upload_service: UploadService) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with pytest.raises(UploadUnfinished):
        upload_service.file(upload.file_url, owner="ann")


def test_a_file_that_is_too_large_is_refused_before_its_first_byte(storage: Storage) -> None:
    upload_service = storage.upload_service(max_file_size=FILE.size - 1)
    with pytest.raises(FileTooLarge):
        upload_service.begin(FILE.new)
    assert storage.blobs.list("uploads") == []


def test_a_file_of_unknown_size_is_refused_when_it_grows_too_large(storage: Storage) -> None:
    upload_service = storage.upload_service(max_file_size=FILE.size - 1)
    upload, _ = upload_service.begin(FILE.new_of_unknown_size)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, range(3))
        with pytest.raises(FileTooLarge):
            send(upload_service, writer, FILE, [3])
    assert upload_service.get(upload.id, owner="ann").stored_chunks == 3


def test_uploads_are_listed_newest_first(upload_service: UploadService, storage: Storage) -> None:
    ids = []
    for _ in range(3):
        ids.append(upload_service.begin(FILE.new, fresh=True)[0].id)
        storage.wait(1)
    first = upload_service.listed(owner="ann", limit=2, before="")
    second = upload_service.listed(owner="ann", limit=2, before=first[-1].id)
    assert [upload.id for upload in (*first, *second)] == ids[::-1]
    with pytest.raises(InvalidInput):
        upload_service.listed(owner="ann", limit=2, before="nope")


@pytest.mark.parametrize("indexes", [[], [0], [0, 1, 2, 3]])
def test_a_cancelled_upload_is_gone_with_its_bytes(
    upload_service: UploadService, storage: Storage, indexes: list[int]
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, indexes)
    upload_service.cancel(upload.id, owner="ann")
    with pytest.raises(UploadNotFound):
        upload_service.get(upload.id, owner="ann")
    assert storage.blobs.list("uploads") == []
    assert upload_service.begin(FILE.new)[0].id != upload.id


def test_an_abandoned_upload_expires_and_its_bytes_with_it(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.wait(EXPIRY - 1)
    assert upload_service.collector.expire() == 0
    storage.wait(1)
    assert upload_service.collector.expire() == 1
    with pytest.raises(UploadNotFound):
        upload_service.get(upload.id, owner="ann")
    assert storage.blobs.list("uploads") == []


def test_an_upload_that_is_being_written_never_expires(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        storage.wait(10 * EXPIRY)
        assert upload_service.collector.expire() == 0
        send(upload_service, writer, FILE, [0])
    assert upload_service.collector.expire() == 0
    storage.wait(EXPIRY)
    assert upload_service.collector.expire() == 1


def test_every_stored_chunk_gives_more_time(upload_service: UploadService, storage: Storage) -> None:
    upload, _ = upload_service.begin(FILE.new)
    for index in (0, 1, 2):
        storage.wait(EXPIRY - 1)
        upload_service.put_chunk(upload.id, FILE.frame(index), owner="ann")
        assert upload_service.collector.expire() == 0


def test_a_complete_upload_never_expires(upload_service: UploadService, storage: Storage) -> None:
    upload = send_all(upload_service, FILE)
    storage.wait(1000 * EXPIRY)
    assert upload_service.collector.expire() == 0
    assert storage.content(upload) == FILE.data


def test_bytes_without_a_row_are_swept_and_no_others(upload_service: UploadService, storage: Storage) -> None:
    whole, unfinished = send_all(upload_service, FILE), upload_service.begin(FILE.new, fresh=True)[0]
    with upload_service.writer(unfinished.id, owner="ann"):
        pass
    stage(storage.blobs, "uploads/dead", size=10)
    stage(storage.blobs, f"uploads/{unfinished.id}.whole", size=10)
    assert upload_service.collector.sweep() == 2
    assert storage.blobs.list("uploads") == sorted([whole.blob_key, unfinished.blob_key])


def test_a_failed_insert_leaves_no_bytes(upload_service: UploadService, storage: Storage) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.blobs.delete(upload.blob_key)
    with pytest.raises(Exception, match="already"):
        upload_service.begin(FILE.new, upload_id=upload.id)
    assert storage.blobs.list("uploads") == []
