"""Upload sessions after the end of their stream, and after a storage failure."""

import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from facecli.api.in_order_session import FileChunk, InOrderUploadSession, Resume
from facecli.api.upload_session import UploadFrame, UploadSession
from facecli.core.checksums import crc32c
from facecli.core.errors import Cancelled, StorageFailed
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from tests.support.rpc.calls import trusted_call
from tests.support.storage import CHUNK, Content, Storage, written
from tests.support.storage_faults import FaultyBlobs
from tests.unit.rpc.test_cut_streams import message, streaming

FILE = Content(size=3 * CHUNK)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


@pytest.fixture
def upload_service(storage: Storage) -> UploadService:
    return storage.upload_service()


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(FILE.new)[0]


def to_a_stream(upload_service: UploadService, upload: Upload) -> Callable[[], object]:
    with UploadSession(upload_service, trusted_call()) as session:
        pass
    late = UploadFrame(upload_id=upload.id, user="ann", frame=FILE.frame(1))
    return lambda: session.write(late)


def to_an_upload_of_the_app(upload_service: UploadService, upload: Upload) -> Callable[[], object]:
    resume = Resume(upload_id=upload.id)
    with InOrderUploadSession(upload_service, trusted_call(), resume=resume) as session:
        pass
    late = FileChunk(
        upload_id="",
        user="ann",
        name=upload.name,
        file_type="video",
        total_chunks=3,
        size=0,
        index=0,
        data=FILE.chunk(0),
        crc32c=crc32c(FILE.chunk(0)),
        chunk_crc32c=None,
    )
    return lambda: session.write_chunk(late)


@pytest.mark.parametrize("late_message", [to_a_stream, to_an_upload_of_the_app])
def test_a_frame_after_the_end_of_its_stream_fences_off_no_newer_writer(
    upload_service: UploadService,
    upload: Upload,
    late_message: Callable[[UploadService, Upload], Callable[[], object]],
) -> None:
    write = late_message(upload_service, upload)
    with upload_service.writer(upload.id, owner="ann") as newer:
        with pytest.raises(Cancelled):
            write()
        assert upload_service.store(newer, written(newer, FILE.frames(0))).stored_chunks == 1


def test_a_storage_failure_ends_the_receiving_thread(storage: Storage, tmp_path: Path) -> None:
    blobs = FaultyBlobs(tmp_path / "data")
    blobs.flush_fails = True
    upload_service = storage.upload_service(blobs=blobs)
    upload, _ = upload_service.begin(FILE.new)
    before = set(threading.enumerate())
    messages = repeat(message(upload, FILE.frame(0)))
    with streaming(upload_service, messages) as answers, pytest.raises(StorageFailed) as failed:
        list(answers)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert failed.value.retryable
