"""Stage times: the seconds that each stage of an upload stream works and waits.

Theory of operation. A stream has three stages, each in its own thread: receive, write and store (flush, then
commit), with a bounded queue between two of them. They work at the same time, so their times overlap, and the
stage that is busy nearly all of the stream's time is the one that the others wait for. Every time is added by
one thread only, once a frame or a batch, and read by any.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from time import perf_counter
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTimes:
    """Seconds of one stream since it began, or the sums of several streams.

    `receive` is the wait for the client's frames, `write_cpu` the part of `write` on a processor. `blocked`
    is the wait for room in the queue before the next stage, `queued` the sum of the waits of all frames until
    they were written, or of all chunks until the flush of their batch began.
    """

    elapsed: float = 0.0
    receive: float = 0.0
    receive_blocked: float = 0.0
    frames_queued: float = 0.0
    write: float = 0.0
    write_cpu: float = 0.0
    write_blocked: float = 0.0
    chunks_queued: float = 0.0
    flush: float = 0.0
    commit: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(slots=True)
class QueueTimes:
    """Seconds that the producer of a queue was blocked, and the sum of its items' waits."""

    blocked: float = 0.0
    queued: float = 0.0


@dataclass(frozen=True, slots=True)
class ChunkTimes:
    """Seconds of a chunk: receive and write its frames; send it to a bucket, None without one; from its last
    frame to its acknowledgement."""

    receive: float
    write: float
    send: float | None
    acknowledge: float


@dataclass(slots=True)
class _WrittenChunk:
    receive: float
    write: float
    last_frame: float
    written: float
    sent: float | None = None


class StageClock:
    """Adds up the times of a stream while it runs; `on_chunk` gets those of each acknowledged chunk."""

    def __init__(
        self,
        clock: Callable[[], float] = perf_counter,
        *,
        on_chunk: Callable[[ChunkTimes], object] = lambda times: None,
    ) -> None:
        self.now = clock
        self._on_chunk = on_chunk
        self._written: dict[Hashable, _WrittenChunk] = {}
        self._before = (0.0, 0.0)  # receive and write of the chunks before
        self._began = clock()
        self.frames = QueueTimes()
        self.chunks = QueueTimes()
        self.receive = 0.0
        self.write = 0.0
        self.write_cpu = 0.0
        self.flush = 0.0
        self.commit = 0.0

    def chunk_written(self, chunk: Hashable, last_frame: float) -> None:
        """A chunk was written, whose last frame arrived at this time; the writing thread calls this."""
        receive, write = self._before
        self._before = self.receive, self.write
        self._written[chunk] = _WrittenChunk(
            self.receive - receive, self.write - write, last_frame, written=self.now()
        )

    def chunk_sent(self, chunk: Hashable) -> None:
        """A bucket has a written chunk; any thread calls this, before the chunk is acknowledged."""
        self._written[chunk].sent = self.now()

    def chunk_acknowledged(self, chunk: Hashable) -> None:
        """A written chunk is durable; the committing thread calls this."""
        if each := self._written.pop(chunk, None):
            send = None if each.sent is None else each.sent - each.written
            self._on_chunk(ChunkTimes(each.receive, each.write, send, self.now() - each.last_frame))

    def times(self) -> StageTimes:
        return StageTimes(
            elapsed=self.now() - self._began,
            receive=self.receive,
            receive_blocked=self.frames.blocked,
            frames_queued=self.frames.queued,
            write=self.write,
            write_cpu=self.write_cpu,
            write_blocked=self.chunks.blocked,
            chunks_queued=self.chunks.queued,
            flush=self.flush,
            commit=self.commit,
        )
