"""The stage times of a stream, and their sum over streams."""

from dataclasses import fields, replace

from facecli.uploads.service import UploadService
from facecli.uploads.stage_times import ChunkTimes, StageClock, StageTimes
from tests.support.storage import CHUNK, Clock, Content, Storage, written
from tests.support.storage_faults import FaultyBlobs, FaultyRows, Gate

FILE = Content(size=2 * CHUNK)


class Slow(Gate):
    """Takes so many seconds of a clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    def pass_through(self) -> None:
        self._clock.now += self._seconds


def test_the_flush_and_the_commit_of_a_batch_are_measured_apart(storage: Storage) -> None:
    clock = Clock()
    began = clock.now
    blobs, rows = FaultyBlobs(storage.blobs.root), storage.opened(FaultyRows)
    service: UploadService = storage.upload_service(blobs=blobs, repository=rows)
    upload, _ = service.begin(FILE.new)
    stages = StageClock(clock)
    with service.writer(upload.id, owner="ann") as writer:
        blobs.flushing, rows.committing = Slow(clock, 3.0), Slow(clock, 0.5)
        for index in range(2):
            list(service.store_all([(writer, written(writer, FILE.frames(index)))], stages))
    times = stages.times()
    assert (times.flush, times.commit, times.elapsed) == (6.0, 1.0, clock.now - began)


def test_the_times_of_a_chunk_are_its_own_in_whatever_order_chunks_are_acknowledged() -> None:
    clock, times = Clock(), list[ChunkTimes]()
    began = clock.now
    stages = StageClock(clock, on_chunk=times.append)
    for chunk in range(2):
        stages.receive += 1.0 + chunk
        clock.now += 10
        stages.chunk_written(chunk, clock.now - 4)
    clock.now += 1
    stages.chunk_acknowledged(1)
    clock.now += 5
    stages.chunk_sent(0)
    clock.now += 1
    stages.chunk_acknowledged(0)
    assert clock.now == began + 27
    assert times == [
        ChunkTimes(receive=2.0, write=0.0, send=None, acknowledge=5.0),
        ChunkTimes(receive=1.0, write=0.0, send=16.0, acknowledge=21.0),
    ]


def test_times_of_streams_are_added_field_by_field() -> None:
    names = [field.name for field in fields(StageTimes)]
    one = StageTimes(**{name: float(number) for number, name in enumerate(names)})
    assert one + one == StageTimes(**{name: 2.0 * number for number, name in enumerate(names)})
    assert one + replace(StageTimes(), commit=0.5) == replace(one, commit=one.commit + 0.5)
