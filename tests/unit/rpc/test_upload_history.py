"""Random sequences of calls, cuts and restarts of several clients over a real connection, checked afterwards.

A history has every write: when it was sent, when and how it ended; `unknown` without a response. After each
step the state of the upload that the server reports, and the bytes that it returns, must be possible.
"""

import queue
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import grpc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.checksums import crc32c
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.history import History, Write
from tests.unit.rpc.conftest import Stubs, frame

pytestmark = pytest.mark.slow


CHUNK = 100  # bytes
CHUNKS = 3
SIZE = (CHUNKS - 1) * CHUNK + 37
DEADLINE = 60.0  # seconds after which a test fails

indexes = st.integers(0, CHUNKS - 1)


class Stream:
    """A StreamUpload in progress that is sent messages one by one."""

    def __init__(self, stubs: Stubs) -> None:
        self.begun: int | None = None  # the chunk that is partly sent
        self._requests: queue.Queue[video_pb.UploadRequest | None] = queue.Queue()
        self._call = stubs.uploads.StreamUpload(iter(self._requests.get, None), timeout=DEADLINE)

    def send(self, request: video_pb.UploadRequest) -> None:
        self._requests.put(request)

    def stored_bytes(self) -> int:
        """The chunk of the next acknowledgement."""
        return next(self._call).stored_bytes

    def cut(self) -> None:
        self._call.cancel()
        self._requests.put(None)


def stored_bytes(call: "grpc.Future[pb.UploadChunkResponse]") -> int:
    return call.result().upload.stored_bytes


class UploadHistory(RuleBasedStateMachine):
    """One upload at a time. `stream` is the newest, `old` are those from which it was taken over.

    No rule has a precondition: which of two calls comes first differs from one time to the next, but which
    rules may follow must not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stored_bytes = 0
        self._folder = tempfile.TemporaryDirectory()
        self._server = ExitStack()
        self._start()
        self._begin()
        self.stream: Stream | None = None
        self.old: list[Stream] = []

    @rule(index=indexes, in_flight=st.none() | indexes)
    def open_stream(self, index: int, in_flight: int | None) -> None:
        """Take over from the stream, if any, perhaps while it sends."""
        before, self.stream, flying = self.stream, Stream(self.stubs), None
        if before and in_flight is not None:
            flying = self._send(before, in_flight)
        write = self._send(self.stream, index)
        assert self._end(write, self.stream) in {"", "CHUNK_DIFFERS"}
        self.history.settle()
        if before and (not flying or self._end(flying, before) == ""):
            self.old.append(before)

    @rule(some=st.lists(indexes, min_size=1, max_size=3, unique=True))
    def stream_chunks(self, some: list[int]) -> None:
        """Send chunks one after the other without waiting for acknowledgements."""
        if not (stream := self.stream):
            return
        writes = [self._send(stream, index) for index in some]
        assert {self._end(write, stream) for write in writes} <= {"", "CHUNK_DIFFERS"}

    @rule(index=indexes)
    def stream_half_a_chunk(self, index: int) -> None:
        if not (stream := self.stream):
            return
        stream.begun = index
        half = frame(self.upload_id, index * CHUNK, b"half")
        half.ClearField("chunk_crc32c")
        stream.send(half)

    @rule(index=indexes)
    def stream_damaged_chunk(self, index: int) -> None:
        if stream := self.stream:
            assert self._end(self._send(stream, index, damaged=True), stream) == "CHECKSUM_MISMATCH"

    @rule(index=indexes)
    def stream_with_a_superseded_writer(self, index: int) -> None:
        if self.old:
            stream = self.old.pop()
            assert self._end(self._send(stream, index), stream) == "TAKEN_OVER"

    @rule(sends=st.none() | indexes)
    def cut_stream(self, sends: int | None) -> None:
        """Cut the stream, perhaps right after a chunk, whose outcome stays unknown."""
        stream, self.stream = self.stream, None
        if stream and sends is not None:
            self._send(stream, sends)
        if stream:
            stream.cut()

    @rule(some=st.lists(indexes, min_size=1, max_size=3), damaged=st.booleans())
    def put_chunks(self, some: list[int], damaged: bool) -> None:
        """Send single chunks concurrently, among them the same one with other bytes."""
        writes = [self._write(index) for index in some if not self._is_begun(index)]
        calls = [self.stubs.uploads.UploadChunk.future(self._single(each, damaged)) for each in writes]
        for write, call in zip(writes, calls, strict=True):
            reason = self._end_write(write, partial(stored_bytes, call))
            assert reason in ({"CHECKSUM_MISMATCH", "CHUNK_DIFFERS"} if damaged else {"", "CHUNK_DIFFERS"})

    @rule(index=indexes)
    def put_stored_bytes_again(self, index: int) -> None:
        stored = self.history.possible(index)
        if len(stored) == 1 and not self._is_begun(index):
            write = self._write(index, *stored)
            call = self.stubs.uploads.UploadChunk.future(self._single(write))
            assert self._end_write(write, partial(stored_bytes, call)) == ""

    @rule()
    def restart(self) -> None:
        self._cut_all()
        self._server.close()
        self.history.settle()
        self._start()

    @rule()
    def cancel(self) -> None:
        self.stubs.uploads.CancelUpload(pb.CancelUploadRequest(user_id="ann", upload_id=self.upload_id))
        with pytest.raises(grpc.RpcError, match="there is no upload"):
            self._reported()
        self._cut_all()
        self._begin()

    @invariant()
    def the_reported_state_is_possible(self) -> None:
        upload, chunks = self._reported()
        for index in range(CHUNKS):
            possible = {crc32c(data) for data in self.history.possible(index)}
            assert index not in chunks or chunks[index] in possible, "an unexpected chunk is stored"
            assert index in chunks or not self.history.is_acknowledged(index), "an acknowledged chunk is gone"
        assert upload.stored_bytes >= self.stored_bytes, "stored_bytes decreased"
        self.stored_bytes = upload.stored_bytes
        complete = upload.status == "completed"
        assert complete or not all(map(self.history.is_acknowledged, range(CHUNKS)))
        if complete:
            request = file_pb.DownloadRequest(user_id="ann", url=upload.file_url)
            data = b"".join(part.data for part in self.stubs.files.Download(request))
            assert (len(data), crc32c(data)) == (SIZE, upload.crc32c)
            parts = [data[index * CHUNK : (index + 1) * CHUNK] for index in range(CHUNKS)]
            assert dict(enumerate(map(crc32c, parts))) == chunks

    def teardown(self) -> None:
        self._cut_all()
        self._server.close()
        self._folder.cleanup()

    def _start(self) -> None:
        running = Settings(engine="mock", bind="127.0.0.1:0", data_dir=self._folder.name, workers=0)
        address = self._server.enter_context(run_server(running)).address
        self.stubs = Stubs(self._server.enter_context(grpc.insecure_channel(address)))

    def _begin(self) -> None:
        self.upload_id = self.stubs.begin(size=SIZE, chunk_size=CHUNK)
        self.history = History()
        self.stored_bytes = 0

    def _write(self, index: int, data: bytes = b"") -> Write:
        return self.history.begin(index, min(CHUNK, SIZE - index * CHUNK), data)

    def _send(self, stream: Stream, index: int, *, damaged: bool = False) -> Write:
        """Send a whole chunk."""
        write = self._write(index)
        checksum = crc32c(write.data) ^ damaged
        stream.begun = None
        stream.send(frame(self.upload_id, index * CHUNK, write.data, checksum))
        return write

    def _single(self, write: Write, damaged: bool = False) -> pb.UploadChunkRequest:
        return pb.UploadChunkRequest(
            user_id="ann",
            upload_id=self.upload_id,
            chunk_index=write.index,
            data=write.data,
            crc32c=crc32c(write.data) ^ damaged,
        )

    def _end(self, write: Write, stream: Stream) -> str:
        reason = self._end_write(write, stream.stored_bytes)
        if reason and stream is self.stream:
            self.stream = None
        return reason

    def _end_write(self, write: Write, stored_bytes: Callable[[], int]) -> str:
        """The reason of a refused write, or empty."""
        counts = list[int]()
        reason = self.history.end(write, lambda: counts.append(stored_bytes()))
        assert all(count >= self.stored_bytes for count in counts), "stored_bytes decreased"
        assert reason != "CHUNK_DIFFERS" or self._reported()[0].status == "completed"
        return reason

    def _reported(self) -> tuple[pb.Upload, dict[int, int]]:
        asked = pb.GetUploadRequest(user_id="ann", upload_id=self.upload_id)
        answer = self.stubs.uploads.GetUpload(asked)
        return answer.upload, {chunk.index: chunk.crc32c for chunk in answer.chunks}

    def _is_begun(self, index: int) -> bool:
        """Whether a single chunk would wait for the stream."""
        return self.stream is not None and self.stream.begun == index

    def _cut_all(self) -> None:
        for stream in [*self.old, *([self.stream] if self.stream else [])]:
            stream.cut()
        self.stream, self.old = None, []


TestUploadHistory = UploadHistory.TestCase
TestUploadHistory.settings = settings(
    max_examples=15, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
