"""Reserving space for one upload does not delay others, and happens once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from facecli.core.errors import UploadNotFound
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from tests.support.storage import Content, Storage
from tests.support.storage_faults import FaultyBlobs, Gate

FILE, OTHER = Content(size=1000), Content(size=1000, seed=1)


@pytest.fixture
def blobs(tmp_path: Path) -> FaultyBlobs:
    return FaultyBlobs(tmp_path / "data")


@pytest.fixture
def upload_service(storage: Storage, blobs: FaultyBlobs) -> UploadService:
    return storage.upload_service(blobs=blobs)


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(FILE.new, fresh=True)[0]


@pytest.fixture
def making(upload: Upload, blobs: FaultyBlobs) -> Iterator[Gate]:
    """Room for `upload`, which takes until this is opened."""
    gate = blobs.creating[upload.blob_key] = Gate()
    gate.close()
    yield gate
    gate.open()


def test_an_upload_is_stored_while_space_is_reserved_for_another(
    upload_service: UploadService, upload: Upload, making: Gate, storage: Storage
) -> None:
    def other() -> Upload:
        begun = upload_service.begin(OTHER.new, fresh=True)[0]
        return upload_service.put_chunk(begun.id, OTHER.frame(0), owner="ann")

    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        stack.callback(making.open)
        first = pool.submit(upload_service.put_chunk, upload.id, FILE.frame(0), owner="ann")
        assert making.reached.wait(60)
        assert pool.submit(other).result(20).completed
        making.open()
        assert first.result(60).completed
    assert storage.content(upload_service.get(upload.id, owner="ann")) == FILE.data


def test_space_is_reserved_once_for_two_writers(
    upload_service: UploadService, upload: Upload, making: Gate
) -> None:
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(upload_service.put_chunk, upload.id, FILE.frame(0), owner="ann") for _ in range(2)
        ]
        assert making.reached.wait(60)
        making.open()
        assert [call.result(60).completed for call in calls] == [True, True]


def test_an_upload_cancelled_while_space_is_reserved_leaves_nothing(
    upload_service: UploadService, upload: Upload, making: Gate, blobs: FaultyBlobs
) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(upload_service.put_chunk, upload.id, FILE.frame(0), owner="ann")
        assert making.reached.wait(60)
        cancelling = pool.submit(upload_service.cancel, upload.id, owner="ann")
        making.open()
        cancelling.result(60)
        assert first.exception(60) is None or isinstance(first.exception(), UploadNotFound)
    assert list(blobs.list("uploads")) == []
    with pytest.raises(UploadNotFound):
        upload_service.get(upload.id, owner="ann")
