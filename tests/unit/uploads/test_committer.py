"""Chunks of many uploads stored together: one commit, each acknowledged as if it were alone."""

from dataclasses import replace

import pytest

from facecli.core.errors import StorageFailed, TakenOver
from facecli.uploads.service import Inbox
from facecli.uploads.upload import NewUpload, Upload
from tests.support.storage import CHUNK, Content, Place, send, written
from tests.support.storage_faults import FaultyBlobs, Meeting

FILE = Content(size=2 * CHUNK + 7)
OTHER = Content(size=CHUNK - 1, seed=1)


def named(content: Content, name: str) -> NewUpload:
    return replace(content.new, name=name)


def test_many_uploads_begin_with_one_commit_and_are_found_again(inbox: Inbox, place: Place) -> None:
    wanted = [(named(OTHER, f"{number}.mp4"), False) for number in range(5)]
    begun = inbox.begin_all(wanted)
    assert [upload.name for upload, _ in begun] == [new.name for new, _ in wanted]
    again = place.inbox().begin_all([*wanted, (wanted[0][0], True)])
    assert [upload.id for upload, _ in again[:5]] == [upload.id for upload, _ in begun]
    assert again[5][0].id not in {upload.id for upload, _ in begun}


def test_a_batch_of_chunks_is_told_one_by_one_and_completes_what_it_fills(inbox: Inbox, place: Place) -> None:
    (large, _), (small, _) = inbox.begin_all([(FILE.new, False), (OTHER.new, False)])
    with inbox.writer(large.id, owner="ann") as first, inbox.writer(small.id, owner="ann") as second:
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        batch += [(first, written(first, FILE.frames(index))) for index in (1, 2)]
        told = list(inbox.store_all(batch))
    assert [(upload.id, upload.stored_chunks, upload.completed) for upload in told] == [
        (large.id, 1, False),
        (small.id, 1, True),
        (large.id, 2, False),
        (large.id, 3, True),
    ]
    assert place.content(told[-1]) == FILE.data
    assert place.content(told[1]) == OTHER.data


def test_files_of_one_batch_are_flushed_side_by_side(place: Place) -> None:
    blobs = FaultyBlobs(place.blobs.root)
    inbox = place.inbox(blobs=blobs)
    (one, _), (other, _) = inbox.begin_all([(FILE.new, True), (OTHER.new, True)])
    with inbox.writer(one.id, owner="ann") as first, inbox.writer(other.id, owner="ann") as second:
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        blobs.flushing = Meeting(2)
        assert [upload.stored_chunks for upload in inbox.store_all(batch)] == [1, 1]


def test_one_flush_that_failed_leaves_the_others_of_its_batch_unacknowledged_but_well(place: Place) -> None:
    blobs = FaultyBlobs(place.blobs.root)
    inbox = place.inbox(blobs=blobs)
    (one, _), (other, _) = inbox.begin_all([(FILE.new, True), (OTHER.new, True)])
    with inbox.writer(one.id, owner="ann") as first, inbox.writer(other.id, owner="ann") as second:
        batch = [(first, written(first, FILE.frames(0))), (second, written(second, OTHER.frames(0)))]
        blobs.unflushable = one.blob_key
        with pytest.raises(StorageFailed, match="EIO"):
            list(inbox.store_all(batch))
        assert [len(inbox.chunks(upload.id)) for upload in (one, other)] == [0, 0]
        blobs.unflushable = ""
        assert inbox.store(*batch[1]).completed
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            inbox.store(*batch[0])
    with inbox.writer(one.id, owner="ann") as again:
        assert send(inbox, again, FILE, range(3)).completed


def test_a_refused_chunk_keeps_nobody_else_back(inbox: Inbox, place: Place) -> None:
    begun = inbox.begin_all([(named(FILE, f"{number}.mp4"), True) for number in range(3)])
    uploads: list[Upload] = [upload for upload, _ in begun]
    writers = [inbox.writer(upload.id, owner="ann") for upload in uploads]
    opened = [writer.__enter__() for writer in writers]
    batch = [(writer, written(writer, FILE.frames(0))) for writer in opened]
    place.rows().claim(uploads[1].id, now=1, expires_at=2)  # another server's writer has taken over
    told = inbox.store_all(batch)
    assert next(told).id == uploads[0].id
    with pytest.raises(TakenOver):
        next(told)
    assert [len(inbox.chunks(upload.id)) for upload in uploads] == [1, 0, 0]
    for writer in writers:
        writer.__exit__(None, None, None)


def test_the_first_writer_of_a_new_upload_yields_to_the_writer_of_another_process(
    inbox: Inbox, place: Place
) -> None:
    upload, _ = inbox.begin(FILE.new)
    with (
        inbox.writer(upload.id, owner="ann") as first,
        place.inbox().writer(upload.id, owner="ann") as second,
    ):
        chunk = written(first, FILE.frames(0))
        with pytest.raises(TakenOver):
            inbox.store(first, chunk)
        assert second.epoch == 1


def test_what_the_disk_lost_with_a_failed_flush_has_to_come_again(place: Place) -> None:
    blobs = FaultyBlobs(place.blobs.root)
    inbox = place.inbox(blobs=blobs)
    upload, _ = inbox.begin(FILE.new)
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, [0, 1])
        blobs.flush_fails = True
        with pytest.raises(StorageFailed):
            send(inbox, writer, FILE, [2])
        with place.blobs.writer(upload.blob_key) as disk:
            disk.write(CHUNK, bytes(10))
    blobs.flush_fails = False
    with inbox.writer(upload.id, owner="ann") as writer:
        assert [chunk.index for chunk in inbox.chunks(upload.id)] == [0]
        finished = send(inbox, writer, FILE, [1, 2])
    assert place.content(finished) == FILE.data


def test_a_begun_file_that_a_power_cut_took_is_made_again(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.blobs.delete(upload.blob_key)
    later = place.inbox()
    assert later.begin(FILE.new)[0].id == upload.id
    with later.writer(upload.id, owner="ann") as writer:
        assert place.content(send(later, writer, FILE, [0, 1, 2])) == FILE.data
