"""Cut streams lose only what was in transit: chunks that arrived whole are stored."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from facecli.api.admission import Admission
from facecli.api.authentication import Authenticator, Credentials
from facecli.api.stream_deadline import StreamLimits
from facecli.core.events import EventBus
from facecli.rpc.calls import Calls
from facecli.rpc.client_waits import ClientWaits
from facecli.rpc.request_stream import RequestStream
from facecli.rpc.upload_streams import UploadStreams
from facecli.rpc.uploads import UploadServicer
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Frame, Upload
from facecli.wire.frames import encode
from tests.support.rpc.calls import ConnectedContext
from tests.support.storage import CHUNK, Content, Storage, written
from tests.support.storage_faults import FaultyBlobs

FILE = Content(size=3 * CHUNK + 7)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


@contextmanager
def streaming(upload_service: UploadService, messages: Iterator[bytes]) -> Iterator[Any]:
    """The responses of a StreamUpload call."""
    context: Any = ConnectedContext()
    calls = Calls(Authenticator(None), EventBus())
    limits = StreamLimits(idle=600, min_rate=0, draining=threading.Event())
    waits = ClientWaits(Admission(1, "waits"), calls=calls, idle=600, min_rate=0)
    streams = UploadStreams(calls=calls, admission=Admission(1, "uploads"), limits=limits, waits=waits)
    with calls.opened(context, "/video.UploadService/StreamUpload"):
        calls.of(context).authenticate(Credentials())
        stream = RequestStream(messages, context, lambda _: None)
        yield UploadServicer(upload_service, streams=streams).StreamUpload(stream, context)


def message(upload: Upload, frame: Frame) -> bytes:
    return bytes(encode(frame, upload_id=upload.id, user="ann"))


def test_chunks_that_arrived_before_a_cut_are_stored_without_acknowledgement(storage: Storage) -> None:
    upload_service = storage.upload_service()
    upload, _ = upload_service.begin(FILE.new)
    acknowledged = threading.Event()

    def messages() -> Iterator[bytes]:
        yield message(upload, FILE.frame(0))
        acknowledged.wait()
        yield message(upload, FILE.frame(1))
        yield message(upload, FILE.frame(2))
        yield message(upload, FILE.frames(3)[0])

    with streaming(upload_service, messages()) as answers:
        assert next(answers).stored_bytes == CHUNK
        acknowledged.set()
        answers.close()  # as gRPC does when the call is over
    _, chunks = upload_service.begin(FILE.new)
    assert [chunk.index for chunk in chunks][:3] == [0, 1, 2]


def test_begin_waits_for_chunks_that_are_being_stored(storage: Storage, tmp_path: Path) -> None:
    blobs = FaultyBlobs(tmp_path / "data")
    upload_service = storage.upload_service(blobs=blobs)
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(2) as pool:
        chunk = written(writer, FILE.frames(0))
        blobs.flushing.close()
        storing = pool.submit(upload_service.store, writer, chunk)
        blobs.flushing.reached.wait()
        beginning = pool.submit(upload_service.begin, FILE.new)
        blobs.flushing.open()
        _, chunks = beginning.result()
        assert chunks == [chunk]
        assert storing.result().stored_chunks == 1


@pytest.mark.slow
def test_begin_does_not_wait_for_a_stuck_disk_forever(storage: Storage, tmp_path: Path) -> None:
    blobs = FaultyBlobs(tmp_path / "data")
    upload_service = storage.upload_service(blobs=blobs)
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer, ThreadPoolExecutor(1) as pool:
        chunk = written(writer, FILE.frames(0))
        blobs.flushing.close()
        storing = pool.submit(upload_service.store, writer, chunk)
        blobs.flushing.reached.wait()
        assert upload_service.begin(FILE.new)[1] == []
        blobs.flushing.open()
        assert storing.result().stored_chunks == 1
