"""Uploads from begin to end: found again, listed, cancelled, expired, swept."""

from dataclasses import replace

import pytest

from facecli.core.checksums import crc32c
from facecli.core.errors import FileTooLarge, InvalidInput, UploadNotFound, UploadUnfinished
from facecli.uploads.service import Inbox, new_upload_id
from facecli.uploads.upload import UploadStatus
from tests.support.storage import CHUNK, EXPIRY, Content, Place, send, send_all

FILE = Content(size=3 * CHUNK + 7)


def test_a_sent_file_is_complete_and_its_checksum_known(inbox: Inbox, place: Place) -> None:
    upload = send_all(inbox, FILE)
    assert upload.status is UploadStatus.COMPLETED
    assert (upload.size, upload.stored_bytes, upload.stored_chunks) == (FILE.size, FILE.size, 4)
    assert upload.crc32c == crc32c(FILE.data)
    assert place.content(upload) == FILE.data
    assert inbox.file(upload.file_url, owner="ann") == upload


def test_the_same_file_goes_on_where_it_was(inbox: Inbox, place: Place) -> None:
    upload, chunks = inbox.begin(FILE.new)
    assert chunks == []
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, [0, 2])
    after_restart = place.inbox()
    again, chunks = after_restart.begin(FILE.new)
    assert again.id == upload.id
    assert [(chunk.index, chunk.crc32c) for chunk in chunks] == [
        (0, crc32c(FILE.chunk(0))),
        (2, crc32c(FILE.chunk(2))),
    ]
    with after_restart.writer(again.id, owner="ann") as writer:
        finished = send(after_restart, writer, FILE, [1, 3])
    assert place.content(finished) == FILE.data


def test_a_complete_file_is_found_complete(inbox: Inbox) -> None:
    upload = send_all(inbox, FILE)
    found, chunks = inbox.begin(FILE.new)
    assert found == upload
    assert len(chunks) == 4


def test_a_fresh_upload_is_another_one(inbox: Inbox) -> None:
    first, _ = inbox.begin(FILE.new)
    second, _ = inbox.begin(FILE.new, fresh=True)
    third, _ = inbox.begin(FILE.new, upload_id=new_upload_id())
    assert len({first.id, second.id, third.id}) == 3


def test_two_files_of_one_name_do_not_fight(inbox: Inbox) -> None:
    first, _ = inbox.begin(FILE.new)
    second, _ = inbox.begin(replace(FILE.new, fingerprint=1))
    assert first.id != second.id


def test_somebody_elses_upload_is_not_there(inbox: Inbox) -> None:
    upload = send_all(inbox, FILE)
    frame = FILE.frame(0)
    with pytest.raises(UploadNotFound) as unknown:
        inbox.get("nope", owner="bob")
    for act in (
        lambda: inbox.get(upload.id, owner="bob"),
        lambda: inbox.file(upload.file_url, owner="bob"),
        lambda: inbox.put_chunk(upload.id, frame, owner="bob"),
        lambda: inbox.cancel(upload.id, owner="bob"),
        lambda: inbox.writer(upload.id, owner="bob").__enter__(),
    ):
        with pytest.raises(UploadNotFound) as theirs:
            act()
        assert str(theirs.value) == str(unknown.value).replace("nope", upload.id)
    assert inbox.listed(owner="bob", limit=9, before="") == []
    assert inbox.begin(replace(FILE.new, owner="bob"))[0].id != upload.id


def test_an_unfinished_upload_is_no_file(inbox: Inbox) -> None:
    upload, _ = inbox.begin(FILE.new)
    with pytest.raises(UploadUnfinished):
        inbox.file(upload.file_url, owner="ann")


def test_a_file_that_is_too_large_is_refused_before_its_first_byte(place: Place) -> None:
    inbox = place.inbox(max_file_size=FILE.size - 1)
    with pytest.raises(FileTooLarge):
        inbox.begin(FILE.new)
    assert place.blobs.keys("uploads") == []


def test_a_file_of_unknown_size_is_refused_when_it_grows_too_large(place: Place) -> None:
    inbox = place.inbox(max_file_size=FILE.size - 1)
    upload, _ = inbox.begin(FILE.new_of_unknown_size)
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, range(3))
        with pytest.raises(FileTooLarge):
            send(inbox, writer, FILE, [3])
    assert inbox.get(upload.id, owner="ann").stored_chunks == 3


def test_uploads_are_listed_newest_first(inbox: Inbox, place: Place) -> None:
    ids = []
    for _ in range(3):
        ids.append(inbox.begin(FILE.new, fresh=True)[0].id)
        place.wait(1)
    first = inbox.listed(owner="ann", limit=2, before="")
    second = inbox.listed(owner="ann", limit=2, before=first[-1].id)
    assert [upload.id for upload in (*first, *second)] == ids[::-1]
    with pytest.raises(InvalidInput):
        inbox.listed(owner="ann", limit=2, before="nope")


@pytest.mark.parametrize("indexes", [[], [0], [0, 1, 2, 3]])
def test_a_cancelled_upload_is_gone_with_its_bytes(inbox: Inbox, place: Place, indexes: list[int]) -> None:
    upload, _ = inbox.begin(FILE.new)
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, indexes)
    inbox.cancel(upload.id, owner="ann")
    with pytest.raises(UploadNotFound):
        inbox.get(upload.id, owner="ann")
    assert place.blobs.keys("uploads") == []
    assert inbox.begin(FILE.new)[0].id != upload.id


def test_an_abandoned_upload_expires_and_its_bytes_with_it(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.wait(EXPIRY - 1)
    assert inbox.removal.expire() == 0
    place.wait(1)
    assert inbox.removal.expire() == 1
    with pytest.raises(UploadNotFound):
        inbox.get(upload.id, owner="ann")
    assert place.blobs.keys("uploads") == []


def test_an_upload_that_is_being_written_never_expires(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    with inbox.writer(upload.id, owner="ann") as writer:
        place.wait(10 * EXPIRY)
        assert inbox.removal.expire() == 0
        send(inbox, writer, FILE, [0])
    assert inbox.removal.expire() == 0
    place.wait(EXPIRY)
    assert inbox.removal.expire() == 1


def test_every_stored_chunk_gives_more_time(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    for index in (0, 1, 2):
        place.wait(EXPIRY - 1)
        inbox.put_chunk(upload.id, FILE.frame(index), owner="ann")
        assert inbox.removal.expire() == 0


def test_a_complete_upload_never_expires(inbox: Inbox, place: Place) -> None:
    upload = send_all(inbox, FILE)
    place.wait(1000 * EXPIRY)
    assert inbox.removal.expire() == 0
    assert place.content(upload) == FILE.data


def test_bytes_without_a_row_are_swept_and_no_others(inbox: Inbox, place: Place) -> None:
    whole, unfinished = send_all(inbox, FILE), inbox.begin(FILE.new, fresh=True)[0]
    with inbox.writer(unfinished.id, owner="ann"):
        pass
    place.blobs.create("uploads/dead", size=10)
    place.blobs.create(f"uploads/{unfinished.id}.whole", size=10)
    assert inbox.removal.sweep() == 2
    assert place.blobs.keys("uploads") == sorted([whole.blob_key, unfinished.blob_key])


def test_a_row_that_could_not_be_made_leaves_no_bytes(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.blobs.delete(upload.blob_key)
    with pytest.raises(Exception, match="already"):
        inbox.begin(FILE.new, upload_id=upload.id)
    assert place.blobs.keys("uploads") == []
