"""Events of uploads are published once the change is durable."""

import pytest

from facecli.core.events import ChunkStored, Event, UploadCompleted, UploadCreated, UploadDeleted
from facecli.uploads.service import UploadService
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, send, send_all

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
    assert events == [
        UploadCreated(upload_id=upload.id, owner="ann", size=FILE.size),
        ChunkStored(upload_id=upload.id, owner="ann", index=0, size=CHUNK),
        ChunkStored(upload_id=upload.id, owner="ann", index=1, size=7),
        UploadCompleted(upload_id=upload.id, owner="ann", size=FILE.size),
    ]


def test_a_repeated_chunk_is_not_published_again(upload_service: UploadService, events: list[Event]) -> None:
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0, 0, 0])
    assert [event for event in events if isinstance(event, ChunkStored)] == [
        ChunkStored(upload_id=upload.id, owner="ann", index=0, size=CHUNK)
    ]


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
