"""What a stream still brings when its call has ended touches nothing."""

import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from facecli.api.authentication import Callers
from facecli.api.upload_session import Reception
from facecli.core.errors import Cancelled, StorageFailed
from facecli.rpc.video_session import VideoReception
from facecli.uploads.service import Inbox
from facecli.uploads.upload import Upload
from facecli.wire.generated.video_service_pb2 import UploadRequest
from tests.support.storage import CHUNK, Content, Place, written
from tests.support.storage_faults import FaultyBlobs
from tests.unit.rpc.test_cut_streams import Listening, message, service

FILE = Content(size=3 * CHUNK)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def inbox(place: Place) -> Inbox:
    return place.inbox()


@pytest.fixture
def upload(inbox: Inbox) -> Upload:
    return inbox.begin(FILE.new)[0]


def user(said: str) -> str:
    return "ann"


def to_a_stream(inbox: Inbox, upload: Upload) -> Callable[[], object]:
    with Reception(inbox, user=user) as reception:
        pass
    return lambda: reception.write(message(upload, FILE.frame(1)))


def to_an_upload_of_the_app(inbox: Inbox, upload: Upload) -> Callable[[], object]:
    with VideoReception(inbox, user=user, upload_id=upload.id) as reception:
        pass
    first = UploadRequest(
        file_name=upload.name, file_type="video", total_chunks=3, chunk=FILE.chunk(0), chunk_index=0
    )
    return lambda: reception.write(first.SerializeToString())


@pytest.mark.parametrize("late_message", [to_a_stream, to_an_upload_of_the_app])
def test_a_message_after_the_end_supersedes_nobody(
    inbox: Inbox, upload: Upload, late_message: Callable[[Inbox, Upload], Callable[[], object]]
) -> None:
    write = late_message(inbox, upload)
    with inbox.writer(upload.id, owner="ann") as newer:
        with pytest.raises(Cancelled):
            write()
        assert inbox.store(newer, written(newer, FILE.frames(0))).stored_chunks == 1


def test_when_storing_fails_nothing_more_is_received(place: Place, tmp_path: Path) -> None:
    blobs = FaultyBlobs(tmp_path / "data")
    blobs.flush_fails = True
    inbox = place.inbox(blobs=blobs)
    upload, _ = inbox.begin(FILE.new)
    context: Any = Listening()
    callers = Callers(None)
    before = set(threading.enumerate())
    with callers.met(context), pytest.raises(StorageFailed) as failed:
        list(service(inbox, callers).StreamUpload(repeat(message(upload, FILE.frame(0))), context))
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert failed.value.retryable
