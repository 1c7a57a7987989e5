"""Any sequence of frames, cuts, takeovers and restarts, compared with a model."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from facecli.core.checksums import crc32c
from facecli.core.errors import ChecksumMismatch, ChunkDiffers, InvalidInput, TakenOver
from facecli.uploads.upload import Chunk, Frame, Upload
from facecli.uploads.writer import UploadWriter
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, cut, written

pytestmark = pytest.mark.slow


CHUNKS = 4
TAIL = 137  # bytes of the last chunk

indexes = st.integers(0, CHUNKS - 1)
versions = st.integers(0, 1)  # of a chunk's bytes: what a file may be changed to
frame_sizes = st.sampled_from([100, 333, CHUNK])
writing = precondition(lambda machine: machine.writer)


class UploadMachine(RuleBasedStateMachine):
    """The model is `acknowledged`: for each chunk the bytes that `store` returned for."""

    def __init__(self) -> None:
        super().__init__()
        self._cleanup = ExitStack()
        self.storage = Storage(Path(self._cleanup.enter_context(tempfile.TemporaryDirectory())))
        self.files = [Content(size=(CHUNKS - 1) * CHUNK + TAIL, seed=seed) for seed in (0, 1)]
        self.acknowledged: dict[int, bytes] = {}
        self.stored_bytes = 0
        self.streams = ExitStack()
        self.writer: UploadWriter | None = None
        self.old_writers: list[UploadWriter] = []
        self.unstored: list[tuple[UploadWriter, Chunk]] = []
        self.begun: int | None = None  # the chunk that the stream is in the middle of

    @initialize(size_known=st.booleans())
    def begin(self, size_known: bool) -> None:
        self.new = self.files[0].new if size_known else self.files[0].new_of_unknown_size
        self.upload_service = self.storage.upload_service()
        self.upload, chunks = self.upload_service.begin(self.new)
        assert chunks == []

    @rule()
    def begin_again(self) -> None:
        found, chunks = self.upload_service.begin(self.new)
        assert found.id == self.upload.id
        reported = {chunk.index: chunk.crc32c for chunk in chunks}
        assert reported == {index: crc32c(data) for index, data in self.acknowledged.items()}

    @rule()
    def open_stream(self) -> None:
        """Supersede the stream that is open, if any."""
        if self.writer:
            self.old_writers.append(self.writer)
        self.begun = None
        self.writer = self.streams.enter_context(self.upload_service.writer(self.upload.id, owner="ann"))

    @writing
    @rule(index=indexes, version=versions, size=frame_sizes, promised=st.booleans())
    def stream_chunk(self, index: int, version: int, size: int, promised: bool) -> None:
        writer, frame = self._current(), self._frame(index, version, promised=promised)
        self.begun = None
        try:
            self.upload_service.store(writer, written(writer, cut(frame, size)))
        except ChunkDiffers:
            assert self._complete
            assert self.acknowledged[index] != frame.data
        else:
            self._acknowledge(index, bytes(frame.data))

    @writing
    @rule(index=indexes, version=versions, size=frame_sizes)
    def stream_damaged_chunk(self, index: int, version: int, size: int) -> None:
        frames = cut(replace(self._frame(index, version), chunk_crc32c=12345), size)
        self.begun = None
        with pytest.raises(ChecksumMismatch):
            written(self._current(), frames)

    @writing
    @rule(index=indexes, version=versions, count=st.integers(1, 3))
    def stream_part_of_a_chunk(self, index: int, version: int, count: int) -> None:
        """The stream may be cut after it, or go on with any other chunk."""
        for frame in cut(self._frame(index, version), 30)[:count]:
            assert self._current().write(frame) is None
        self.begun = index

    @writing
    @rule(offset=st.integers(-1, CHUNKS * CHUNK).filter(lambda offset: offset % CHUNK))
    def stream_frame_at_a_wrong_offset(self, offset: int) -> None:
        writer = self._current()
        writer.write(Frame(offset=0, data=b"x"))
        self.begun = 0
        if offset != 1:
            with pytest.raises(InvalidInput):
                writer.write(Frame(offset=offset, data=b"x"))

    @precondition(lambda self: self.writer and not self.unstored)
    @rule(index=indexes, version=versions)
    def stream_chunk_and_lose_the_writer_before_it_is_stored(self, index: int, version: int) -> None:
        writer = self._current()
        try:
            self.unstored.append((writer, written(writer, [self._frame(index, version)])))
        except ChunkDiffers:
            assert self._complete
        self.open_stream()

    @precondition(lambda self: self.unstored)
    @rule()
    def store_for_a_lost_writer(self) -> None:
        with pytest.raises(TakenOver):
            self.upload_service.store(*self.unstored.pop())

    @precondition(lambda self: self.old_writers)
    @rule(index=indexes, version=versions)
    def stream_with_a_lost_writer(self, index: int, version: int) -> None:
        with pytest.raises(TakenOver):
            written(self.old_writers[-1], [self._frame(index, version)])

    @rule()
    def cut_streams(self) -> None:
        self.streams.close()
        self.writer = self.begun = None
        self.old_writers.clear()
        self.unstored.clear()

    @rule(index=indexes, version=versions)
    def put_chunk(self, index: int, version: int) -> None:
        if index == self.begun:
            return  # it would wait for the stream
        frame = self._frame(index, version)
        try:
            self.upload_service.put_chunk(self.upload.id, frame, owner="ann")
        except ChunkDiffers:
            assert self._complete
            assert self.acknowledged[index] != frame.data
        else:
            self._acknowledge(index, bytes(frame.data))

    @rule()
    def restart(self) -> None:
        """Forget the open uploads, and sweep what a crash may have left."""
        self.cut_streams()
        self.upload_service = self.storage.upload_service()
        self.upload_service.collector.sweep()
        keys = self.storage.blobs.list("uploads")
        assert keys == [self._row().blob_key] or (keys == [] and not self.acknowledged)

    @precondition(lambda self: self.writer or self._complete)
    @rule()
    def wait_for_long(self) -> None:
        self.storage.wait(2 * EXPIRY)
        assert self.upload_service.collector.expire() == 0

    @invariant()
    def the_upload_agrees_with_the_model(self) -> None:
        upload = self._row()
        self._check_chunks(upload)
        self._check_stored_bytes(upload)
        self._check_complete_file(upload)

    def _check_chunks(self, upload: Upload) -> None:
        """Every acknowledged chunk is stored."""
        chunks = self.upload_service.chunks(self.upload.id)
        assert {chunk.index for chunk in chunks} == set(self.acknowledged)
        for chunk in chunks:
            data = self.acknowledged[chunk.index]
            assert (chunk.size, chunk.crc32c) == (len(data), crc32c(data))
            if not upload.completed:
                assert self.storage.stored(upload, chunk) == data

    def _check_stored_bytes(self, upload: Upload) -> None:
        """They never decrease."""
        assert upload.stored_bytes == sum(map(len, self.acknowledged.values())) >= self.stored_bytes
        assert upload.stored_chunks == len(self.acknowledged)
        self.stored_bytes = upload.stored_bytes

    def _check_complete_file(self, upload: Upload) -> None:
        assert upload.completed == self._complete
        if upload.completed:
            data = b"".join(self.acknowledged[index] for index in range(CHUNKS))
            assert self.storage.content(upload) == data
            assert (upload.size, upload.crc32c) == (len(data), crc32c(data))

    def teardown(self) -> None:
        self.streams.close()
        self.storage.close()
        self._cleanup.close()

    @property
    def _complete(self) -> bool:
        return len(self.acknowledged) == CHUNKS

    def _row(self) -> Upload:
        return self.upload_service.get(self.upload.id, owner="ann")

    def _current(self) -> UploadWriter:
        assert self.writer
        return self.writer

    def _frame(self, index: int, version: int, *, promised: bool = True) -> Frame:
        frame = self.files[version].frame(index)
        return frame if promised else replace(frame, chunk_crc32c=None)

    def _acknowledge(self, index: int, data: bytes) -> None:
        assert not self._complete or self.acknowledged[index] == data
        self.acknowledged[index] = data


TestUploads = UploadMachine.TestCase
TestUploads.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
