"""Upload pipeline: receive, write and commit as concurrent stages with bounded queues (backpressure).

Theory of operation: one thread receives items from the transport, a second one writes them, and the thread
that iterates commits what was written. RECEIVE_QUEUE bounds the first hand-over and COMMIT_QUEUE the
second. When the disk is slower than the network the queues fill up, the receiver stops taking items, and
the transport's flow control slows the client down, so memory per upload does not grow with the file. The
committer takes whatever was finished while its last batch was being stored (group commit), and begins at
most ten batches a second: one flush and one commit for many chunks of a fast stream, one each of a slow one.
A chunk that a bucket keeps waiting delays the commit of no others. The last batch is committed at once.
Measured, durable: 500 MiB in 0.84 s, 200 files of 1 MiB in 0.82 s; with a commit a chunk 0.92 s and 1.17 s.
The committer also enforces the stream's deadline, the eviction of its slot, the validity of its token and the
draining of the server. What arrived whole before the server drains or the client is gone is still committed.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence, Sized
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from facecli.api.admission import Slot
from facecli.api.ready_queue import ReadyQueue
from facecli.api.stream_deadline import MinRateDeadline, StreamLimits
from facecli.core.errors import FacecliError, IdleTooLong, Unavailable
from facecli.uploads.stage_times import StageClock

RECEIVE_QUEUE = 2  # items that wait to be written
COMMIT_QUEUE = 8  # finished chunks that are being sent to a bucket or wait to be committed, together
BATCH_SECONDS = 0.1  # from the beginning of one batch to that of the next, unless the queue is full
POLL_SECONDS = 0.2  # between two checks of deadline, token and draining

Item = TypeVar("Item", bound=Sized)
T = TypeVar("T")
Q = TypeVar("Q")
Stored = TypeVar("Stored")


class ConnectionLost(Exception):
    """The transport lost its client. Every transport raises this in place of its own error."""


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a stage's output, with the error that caused it."""

    error: BaseException | None


class UploadPipeline(Generic[Item, T]):
    """Passes each item to `write` in a thread of its own; iterating yields the results in batches."""

    def __init__(
        self,
        items: Iterator[Item],
        write: Callable[[Item], T | None],
        *,
        limits: StreamLimits,
        active: Callable[[], bool],
        sending: Callable[[T], Future[None] | None] = lambda _: None,
        first: int,
        slot: Slot,
        stages: StageClock | None = None,
    ) -> None:
        """`items` may raise ConnectionLost, `active` any error that shall end the stream.

        `sending` returns the request on which the commit of a result would wait, so that others pass it.

        `first` is the largest size in bytes of the first item. The length of an item is its size in bytes.
        """
        self._items = items
        self._write = write
        self._limits = limits
        self._active = active
        self._sending = sending
        self._stages = stages = stages or StageClock()
        self._received = ReadyQueue[Item | _End](RECEIVE_QUEUE, stages.frames, clock=stages.now)
        self._written = ReadyQueue[T | _End](COMMIT_QUEUE, stages.chunks, clock=stages.now)
        self._deadline = MinRateDeadline(idle=limits.idle, min_rate=limits.min_rate, first=first)
        self._slot = slot
        self._slot.idle_seconds = self._deadline.idle_seconds
        self._abandoned = threading.Event()
        self._arrived = self._handled = 0  # items; each is counted by one thread

    def run(self, commit: Callable[[Sequence[T]], Iterator[Stored]]) -> Generator[Stored, None, None]:
        """Run all three stages; yields what `commit` yields, one for each result of a batch.

        When it is closed early, because the client is gone, it still commits what arrived whole: that need
        not be sent again.
        """
        with closing(iter(self)) as batches:
            try:
                for batch in batches:
                    yield from self._committed(batch, commit(batch))
            except GeneratorExit:
                with suppress(FacecliError, ConnectionLost):
                    for batch in batches:
                        for _ in self._committed(batch, commit(batch)):
                            pass
                raise

    def _committed(self, batch: Sequence[T], stored: Iterator[Stored]) -> Iterator[Stored]:
        for each, result in zip(stored, batch, strict=True):
            self._stages.chunk_acknowledged(id(result))
            yield each

    def __iter__(self) -> Generator[list[T], None, None]:
        """Raises what writing raised, ConnectionLost, IdleTooLong, or Unavailable when the server drains."""
        threads = [threading.Thread(target=work, daemon=True) for work in (self._receive, self._write_all)]
        for thread in threads:
            thread.start()
        try:
            ended, next_batch = False, 0.0
            while not ended:
                batch: list[T] = []
                results = self._group(self._next(), until=next_batch)
                next_batch = time.monotonic() + BATCH_SECONDS
                for result in results:
                    if not isinstance(result, _End):
                        batch.append(result)
                    elif result.error is None:
                        ended = True
                    else:
                        yield batch
                        try:
                            raise result.error
                        finally:
                            # Held here, the error would hold itself by this frame in its traceback.
                            del result, results
                yield batch
        finally:
            self._abandoned.set()

    def _next(self) -> T | _End:
        while True:
            # Checked between chunks too: a client may drip them, hold up a server that stops, or continue
            # with a revoked token.
            draining = self._limits.draining.is_set()
            sent = self._written.all_ready()
            idle = self._handled == self._arrived and sent
            active = draining or self._active()
            if not sent and active:
                self._deadline.excuse()
            if not draining:
                self._check_deadline()
            try:
                return self._written.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if draining and idle:
                    raise _shutting_down() from None
                if sent and not active:
                    raise ConnectionLost from None

    def _group(self, result: T | _End, *, until: float) -> list[T | _End]:
        """Add the results that are there, or come until then, to the first one."""
        results, taken = [result], [self._stages.now()]
        with suppress(queue.Empty):
            while len(results) < COMMIT_QUEUE and not isinstance(results[-1], _End):
                results.append(self._written.get(timeout=max(0.0, until - time.monotonic())))
                taken.append(self._stages.now())
        now = self._stages.now()
        self._stages.chunks.queued += sum(now - at for at in taken)
        return results

    def _check_deadline(self) -> None:
        if self._slot.evicted:
            raise IdleTooLong("the upload was idle and another one needed its slot; what was stored is kept")
        if self._deadline.expired():
            limits = self._limits
            raise IdleTooLong(
                f"nothing arrived for {limits.idle:.0f} s, or less than {limits.min_rate} bytes a second; "
                "what was stored is kept"
            )

    # Errors are returned and never kept in a local variable: error, traceback, frame and its message of
    # 10 MiB would be a reference cycle that only the cyclic garbage collector frees.

    def _receive(self) -> None:
        self._hand_over(self._received, self._receive_all())

    def _receive_all(self) -> _End:
        try:
            began = self._stages.now()
            for item in self._items:
                self._stages.receive += self._stages.now() - began
                self._deadline.received(len(item))
                self._arrived += 1
                if not self._hand_over(self._received, item):
                    return _End(None)
                if self._limits.draining.is_set():
                    return _End(_shutting_down())
                self._deadline.begin()
                began = self._stages.now()
            self._deadline.received(0)  # the client has sent everything and waits for us
        except ConnectionLost:
            return _End(ConnectionLost())
        except Exception as error:
            return _End(error)
        return _End(None)

    def _write_all(self) -> None:
        self._hand_over(self._written, self._write_received(), last=True)

    def _write_received(self) -> _End:
        try:
            while not isinstance(item := self._take(), _End):
                began, began_cpu = self._stages.now(), time.thread_time()
                result = self._write(item)
                self._stages.write += self._stages.now() - began
                self._stages.write_cpu += time.thread_time() - began_cpu
                if result is not None and not self._pass_on(result, began):
                    return _End(None)
                self._handled += 1
        except Exception as error:
            return _End(error)
        return item

    def _pass_on(self, result: T, last_frame: float) -> bool:
        sending, chunk = self._sending(result), id(result)
        self._stages.chunk_written(chunk, last_frame)
        if sending:
            sending.add_done_callback(lambda _: self._stages.chunk_sent(chunk))
        return self._hand_over(self._written, result, sending)

    def _take(self) -> Item | _End:
        while not self._abandoned.is_set():
            try:
                return self._received.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        return _End(None)

    def _hand_over(
        self, to: ReadyQueue[Q], item: Q, sending: Future[None] | None = None, *, last: bool = False
    ) -> bool:
        """Whether the item was taken; it is not once the stream was abandoned."""
        while not self._abandoned.is_set():
            try:
                to.put(item, sending=sending, last=last, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def _shutting_down() -> Unavailable:
    return Unavailable("the server is shutting down; resume this upload when it is back")
