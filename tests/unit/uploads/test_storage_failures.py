"""When the disk or the database refuses: nothing more is acknowledged, nothing acknowledged is lost."""

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
from facecli.uploads.service import Inbox
from facecli.uploads.upload import Upload
from tests.support.storage import CHUNK, Content, Place, send, written
from tests.support.storage_faults import FaultyBlobs, FaultyRows, Gate

FILE = Content(size=3 * CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)


@pytest.fixture
def blobs(place: Place, tmp_path: Path) -> FaultyBlobs:
    return FaultyBlobs(tmp_path / "data")


@pytest.fixture
def rows(place: Place) -> FaultyRows:
    return place.opened(FaultyRows)


@pytest.fixture
def inbox(place: Place, rows: FaultyRows, blobs: FaultyBlobs) -> Inbox:
    return place.inbox(rows=rows, blobs=blobs)


@pytest.fixture
def upload(inbox: Inbox) -> Upload:
    return inbox.begin(FILE.new)[0]


def test_what_could_not_be_flushed_is_not_in_the_rows(
    inbox: Inbox, blobs: FaultyBlobs, upload: Upload
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, [0])
        blobs.flush_fails = True
        with pytest.raises(StorageFailed):
            send(inbox, writer, FILE, [1])
    assert [chunk.index for chunk in inbox.chunks(upload.id)] == [0]


def test_after_a_failed_flush_nothing_is_acknowledged_until_the_file_was_opened_anew(
    inbox: Inbox, blobs: FaultyBlobs, upload: Upload, place: Place
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        waiting = written(writer, FILE.frames(0))
        blobs.flush_fails = True
        with pytest.raises(StorageFailed, match="EIO"):
            inbox.put_chunk(upload.id, FILE.frame(1), owner="ann")
        blobs.flush_fails = False  # the kernel tells of the lost bytes only once
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            inbox.store(writer, waiting)
        with pytest.raises(StorageFailed, match="waiting for its writers"):
            inbox.put_chunk(upload.id, FILE.frame(2), owner="ann")
    assert inbox.chunks(upload.id) == []
    with inbox.writer(upload.id, owner="ann") as writer:
        assert place.content(send(inbox, writer, FILE, range(4))) == FILE.data


def test_a_chunk_the_database_did_not_take_is_sent_again(
    inbox: Inbox, rows: FaultyRows, upload: Upload, place: Place
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        rows.refuses_chunks = True
        with pytest.raises(Unavailable):
            send(inbox, writer, FILE, [0])
    rows.refuses_chunks = False
    assert inbox.chunks(upload.id) == []
    with inbox.writer(upload.id, owner="ann") as writer:
        assert place.content(send(inbox, writer, FILE, range(4))) == FILE.data


def test_a_commit_without_an_answer_is_not_written_over(
    inbox: Inbox, rows: FaultyRows, upload: Upload, place: Place
) -> None:
    rows.forgets_to_answer = True
    with pytest.raises(Unavailable):
        inbox.put_chunk(upload.id, FILE.frame(0), owner="ann")
    rows.forgets_to_answer = False
    with inbox.writer(upload.id, owner="ann") as writer:
        writer.write(OTHER.frames(0)[0])
    (chunk,) = inbox.chunks(upload.id)
    assert place.stored(upload, chunk) == FILE.chunk(0)


def test_a_full_disk_keeps_what_was_stored_and_goes_on_when_there_is_room(
    inbox: Inbox, blobs: FaultyBlobs, upload: Upload, place: Place
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, [0])
        blobs.disk_full = True
        with pytest.raises(DiskFull):
            send(inbox, writer, FILE, [1])
    blobs.disk_full = False
    again, chunks = inbox.begin(FILE.new)
    assert (again.id, [chunk.index for chunk in chunks]) == (upload.id, [0])
    with inbox.writer(upload.id, owner="ann") as writer:
        assert place.content(send(inbox, writer, FILE, [1, 2, 3])) == FILE.data


@pytest.mark.parametrize("fault", ["refuses_completion", "disk_full"])
def test_a_completion_that_failed_is_made_up_for_by_the_next_begin(
    inbox: Inbox, rows: FaultyRows, blobs: FaultyBlobs, upload: Upload, place: Place, fault: str
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, OTHER, [0])
        send(inbox, writer, FILE, [0, 1, 2])
        last = written(writer, FILE.frames(3))
        rows.refuses_completion = fault == "refuses_completion"
        blobs.disk_full = fault == "disk_full"
        with pytest.raises((DiskFull, Unavailable)):
            inbox.store(writer, last)
    rows.refuses_completion = blobs.disk_full = False
    assert not inbox.get(upload.id, owner="ann").completed
    finished, _ = inbox.begin(FILE.new)
    assert place.content(finished) == FILE.data
    assert place.blobs.keys("uploads") == [finished.blob_key]


def test_a_take_over_waits_for_a_commit_under_way_and_keeps_its_chunk(
    inbox: Inbox, blobs: FaultyBlobs, upload: Upload, place: Place
) -> None:
    with inbox.writer(upload.id, owner="ann") as first, ThreadPoolExecutor(3) as pool:
        chunk = written(first, FILE.frames(0))
        blobs.flushing.close()
        storing = pool.submit(inbox.store, first, chunk)
        blobs.flushing.reached.wait()
        newer = inbox.writer(upload.id, owner="ann")
        taking_over = pool.submit(newer.__enter__)
        single = pool.submit(inbox.put_chunk, upload.id, OTHER.frame(0), owner="ann")
        assert not taking_over.done()
        assert not single.done()
        blobs.flushing.open()
        assert storing.result().stored_chunks == 1
        second = taking_over.result()
        single.result()
        with pytest.raises(TakenOver):
            first.write(FILE.frames(1)[0])
        (stored,) = inbox.chunks(upload.id)
        assert stored.position != chunk.position
        assert place.stored(upload, stored) == OTHER.chunk(0)
        assert place.stored(upload, chunk) == FILE.chunk(0)
        assert place.content(send(inbox, second, FILE, range(4))) == FILE.data


@pytest.mark.parametrize(("refused", "told"), [(False, ChunkDiffers), (True, StorageFailed)])
def test_a_file_is_called_complete_when_it_is_and_not_while_that_is_committed(
    inbox: Inbox, rows: FaultyRows, upload: Upload, refused: bool, told: type[FacecliError]
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(2) as pool:
        send(inbox, writer, FILE, [0, 1, 2])
        chunk = written(writer, FILE.frames(3))
        rows.committing = Gate()
        rows.committing.close()
        storing = pool.submit(inbox.store, writer, chunk)
        rows.committing.reached.wait()
        other = pool.submit(inbox.put_chunk, upload.id, OTHER.frame(0), owner="ann")
        early = wait([other], timeout=0.2).done
        rows.refuses_chunks = refused
        rows.committing.open()
        wait([storing])
        assert not early
        with pytest.raises(told):
            other.result()
    assert inbox.get(upload.id, owner="ann").completed is not refused


def test_a_cancel_in_the_middle_of_a_commit_leaves_nothing(
    inbox: Inbox, blobs: FaultyBlobs, upload: Upload, place: Place
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(1) as pool:
        send(inbox, writer, FILE, [0, 1, 2])
        chunk = written(writer, FILE.frames(3))
        blobs.flushing.close()
        storing = pool.submit(inbox.store, writer, chunk)
        blobs.flushing.reached.wait()
        inbox.cancel(upload.id, owner="ann")
        blobs.flushing.open()
        with pytest.raises(UploadNotFound):
            storing.result()
    assert place.blobs.keys("uploads") == []
