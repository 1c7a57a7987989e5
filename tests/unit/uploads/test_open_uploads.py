"""Making room for one upload keeps no other waiting, and is done once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from facecli.core.errors import UploadNotFound
from facecli.uploads.service import Inbox
from facecli.uploads.upload import Upload
from tests.support.storage import Content, Place
from tests.support.storage_faults import FaultyBlobs, Gate

FILE, OTHER = Content(size=1000), Content(size=1000, seed=1)


@pytest.fixture
def blobs(tmp_path: Path) -> FaultyBlobs:
    return FaultyBlobs(tmp_path / "data")


@pytest.fixture
def inbox(place: Place, blobs: FaultyBlobs) -> Inbox:
    return place.inbox(blobs=blobs)


@pytest.fixture
def upload(inbox: Inbox) -> Upload:
    return inbox.begin(FILE.new, fresh=True)[0]


@pytest.fixture
def making(upload: Upload, blobs: FaultyBlobs) -> Iterator[Gate]:
    """Room for `upload`, which takes until this is opened."""
    gate = blobs.creating[upload.blob_key] = Gate()
    gate.close()
    yield gate
    gate.open()


def test_while_room_is_made_for_one_another_is_stored(
    inbox: Inbox, upload: Upload, making: Gate, place: Place
) -> None:
    def other() -> Upload:
        begun = inbox.begin(OTHER.new, fresh=True)[0]
        return inbox.put_chunk(begun.id, OTHER.frame(0), owner="ann")

    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        stack.callback(making.open)
        first = pool.submit(inbox.put_chunk, upload.id, FILE.frame(0), owner="ann")
        assert making.reached.wait(60)
        assert pool.submit(other).result(20).completed
        making.open()
        assert first.result(60).completed
    assert place.content(inbox.get(upload.id, owner="ann")) == FILE.data


def test_two_who_open_the_same_make_room_once(inbox: Inbox, upload: Upload, making: Gate) -> None:
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(inbox.put_chunk, upload.id, FILE.frame(0), owner="ann") for _ in range(2)]
        assert making.reached.wait(60)
        making.open()
        assert [call.result(60).completed for call in calls] == [True, True]


def test_an_upload_that_is_cancelled_while_room_is_made_leaves_nothing(
    inbox: Inbox, upload: Upload, making: Gate, blobs: FaultyBlobs
) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(inbox.put_chunk, upload.id, FILE.frame(0), owner="ann")
        assert making.reached.wait(60)
        cancelling = pool.submit(inbox.cancel, upload.id, owner="ann")
        making.open()
        cancelling.result(60)
        assert first.exception(60) is None or isinstance(first.exception(), UploadNotFound)
    assert list(blobs.keys("uploads")) == []
    with pytest.raises(UploadNotFound):
        inbox.get(upload.id, owner="ann")
