"""Several writers of one upload: take-over, single chunks beside a stream, all in parallel."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from facecli.core.checksums import crc32c
from facecli.core.errors import ChecksumMismatch, InvalidInput, TakenOver
from facecli.uploads.service import Inbox
from facecli.uploads.upload import Frame, Upload
from tests.support.storage import CHUNK, Content, Place, send, written

FILE = Content(size=3 * CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)


@pytest.fixture
def upload(inbox: Inbox) -> Upload:
    return inbox.begin(FILE.new)[0]


def test_a_second_writer_takes_over_and_the_first_adds_nothing(
    inbox: Inbox, place: Place, upload: Upload
) -> None:
    with inbox.writer(upload.id, owner="ann") as first:
        send(inbox, first, OTHER, [0])
        again, unstored = written(first, OTHER.frames(0)), written(first, OTHER.frames(1))
        first.write(OTHER.frames(2)[0])
        with inbox.writer(upload.id, owner="ann") as second:
            on_disk = place.content(upload)
            with pytest.raises(TakenOver):
                first.write(OTHER.frames(2)[1])
            for late in (again, unstored):
                with pytest.raises(TakenOver):
                    inbox.store(first, late)
            assert place.content(upload) == on_disk
            assert [chunk.index for chunk in inbox.chunks(upload.id)] == [0]
            finished = send(inbox, second, FILE, range(4))
        with pytest.raises(TakenOver):
            first.write(OTHER.frames(3)[0])
    assert place.content(finished) == FILE.data


def test_the_end_of_an_old_stream_does_not_end_the_new_one(inbox: Inbox, upload: Upload) -> None:
    old = inbox.writer(upload.id, owner="ann")
    old.__enter__()
    with inbox.writer(upload.id, owner="ann") as new:
        send(inbox, new, FILE, [0])
        old.__exit__(None, None, None)
        assert send(inbox, new, FILE, [1, 2, 3]).completed


def test_a_writer_of_another_process_takes_over_too(inbox: Inbox, place: Place, upload: Upload) -> None:
    with inbox.writer(upload.id, owner="ann") as first:
        chunk = written(first, FILE.frames(0))
        place.rows().claim(upload.id, now=1, expires_at=2)
        with pytest.raises(TakenOver):
            inbox.store(first, chunk)
    assert inbox.chunks(upload.id) == []


def test_single_chunks_in_parallel_and_any_order_make_the_file(inbox: Inbox, place: Place) -> None:
    file = Content(size=40 * CHUNK - 3)
    upload, _ = inbox.begin(file.new)
    start = threading.Barrier(8)

    def put(worker: int) -> None:
        start.wait()
        for index in reversed(range(worker // 2, 40, 4)):
            inbox.put_chunk(upload.id, file.frame(index), owner="ann")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    finished = inbox.get(upload.id, owner="ann")
    assert (finished.completed, finished.stored_bytes) == (True, file.size)
    assert place.content(finished) == file.data


def test_different_bytes_for_one_chunk_in_parallel_end_as_one_of_them(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    start = threading.Barrier(8)

    def put(worker: int) -> None:
        start.wait()
        for _ in range(5):
            inbox.put_chunk(upload.id, Content(size=FILE.size, seed=worker).frame(0), owner="ann")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    (chunk,) = inbox.chunks(upload.id)
    assert crc32c(place.stored(upload, chunk)) == chunk.crc32c
    with inbox.writer(upload.id, owner="ann") as writer:
        finished = send(inbox, writer, FILE, [1, 2, 3])
    assert crc32c(place.content(finished)) == finished.crc32c


def test_a_single_chunk_takes_nothing_from_a_running_stream(
    inbox: Inbox, place: Place, upload: Upload
) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        first, *rest = FILE.frames(0)
        writer.write(first)
        inbox.put_chunk(upload.id, FILE.frame(2), owner="ann")
        inbox.store(writer, written(writer, rest))
        finished = send(inbox, writer, FILE, [1, 3])
    assert place.content(finished) == FILE.data


@pytest.mark.parametrize("part", [b"", b"x" * (CHUNK - 1)])
def test_a_single_chunk_comes_whole(inbox: Inbox, upload: Upload, part: bytes) -> None:
    for ends_chunk in (False, True):
        with pytest.raises(InvalidInput):
            inbox.put_chunk(upload.id, Frame(offset=0, data=part, ends_chunk=ends_chunk), owner="ann")
    assert inbox.chunks(upload.id) == []


def test_a_damaged_single_chunk_is_refused(inbox: Inbox, upload: Upload) -> None:
    with pytest.raises(ChecksumMismatch):
        inbox.put_chunk(upload.id, replace(FILE.frame(0), chunk_crc32c=1), owner="ann")
    assert inbox.put_chunk(upload.id, FILE.frame(0), owner="ann").stored_chunks == 1
