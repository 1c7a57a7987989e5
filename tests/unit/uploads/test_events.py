"""Events of uploads are published once the change is durable."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from facecli.core.errors import ChecksumMismatch
from facecli.core.events import (
    BatchCommitted,
    BytesLost,
    ChunkRepeated,
    ChunkStored,
    Event,
    UploadCompleted,
    UploadCreated,
    UploadDeleted,
    UploadResumed,
)
from facecli.uploads.service import UploadService
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, cut, send, send_all

FILE = Content(size=CHUNK + 7)
OTHER = Content(size=FILE.size, seed=1)


@pytest.fixture
def events(storage: Storage) -> list[Event]:
    published: list[Event] = []
    storage.events.subscribe(published.append)
    return published


def test_an_upload_publishes_its_creation_chunks_and_completion(
    upload_service: UploadService, events: list[Event]
) -> None:
    upload = send_all(upload_service, FILE)
    assert [event for event in events if not isinstance(event, BatchCommitted)] == [
        UploadCreated(upload_id=upload.id, owner="ann", size=FILE.size),
        ChunkStored(upload_id=upload.id, owner="ann", index=0, size=CHUNK),
        ChunkStored(upload_id=upload.id, owner="ann", index=1, size=7),
        UploadCompleted(upload_id=upload.id, owner="ann", size=FILE.size),
    ]


def test_a_repeated_chunk_is_not_published_again(upload_service: UploadService, events: list[Event]) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 0, 0])
    assert [event for event in events if isinstance(event, ChunkStored | ChunkRepeated)] == [
        ChunkStored(upload_id=upload.id, owner="ann", index=0, size=CHUNK),
        ChunkRepeated(upload_id=upload.id, size=CHUNK),
        ChunkRepeated(upload_id=upload.id, size=CHUNK),
    ]


def test_a_resumed_upload_is_published_with_its_stored_bytes_and_a_complete_one_is_not(
    upload_service: UploadService, events: list[Event]
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0])
    upload_service.begin(FILE.new)
    upload_service.begin_all([(FILE.new, False)])
    send_all(upload_service, FILE)
    upload_service.begin(FILE.new)
    resumed = UploadResumed(upload_id=upload.id, owner="ann", stored=CHUNK)
    assert [event for event in events if isinstance(event, UploadResumed)] == [resumed] * 3


@pytest.mark.parametrize("damaged", [False, True], ids=["cut off", "damaged"])
def test_bytes_of_a_chunk_that_was_not_stored_are_published_at_the_end_of_the_stream(
    upload_service: UploadService, events: list[Event], damaged: bool
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    broken = FILE.frames(1) if damaged else cut(FILE.frame(1), 4)[:-1]
    if damaged:
        broken[-1] = replace(broken[-1], chunk_crc32c=0)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0])
        with pytest.raises(ChecksumMismatch) if damaged else nullcontext():
            for frame in broken:
                writer.write(frame)
    lost = sum(len(frame.data) for frame in broken)
    assert events[-1] == BytesLost(upload_id=upload.id, size=lost)


def test_a_completion_out_of_order_comes_once(upload_service: UploadService, events: list[Event]) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, OTHER, [0])
        finished = send(upload_service, writer, FILE, [0, 1])
    assert finished.completed
    upload_service.begin(FILE.new)
    completed = [event for event in events if isinstance(event, UploadCompleted)]
    assert completed == [UploadCompleted(upload_id=upload.id, owner="ann", size=FILE.size)]


def test_deletions_carry_their_cause(
    upload_service: UploadService, storage: Storage, events: list[Event]
) -> None:
    cancelled, _ = upload_service.begin(FILE.new)
    upload_service.cancel(cancelled.id, owner="ann")
    expired, _ = upload_service.begin(FILE.new)
    storage.wait(EXPIRY)
    assert upload_service.collector.expire() == 1
    assert [event for event in events if isinstance(event, UploadDeleted)] == [
        UploadDeleted(upload_id=cancelled.id, cause="cancelled"),
        UploadDeleted(upload_id=expired.id, cause="expired"),
    ]
