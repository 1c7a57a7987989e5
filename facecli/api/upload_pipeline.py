"""Receives the messages of one call while others are written, and others stored."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc

from facecli.api.admission import Slot
from facecli.api.stream_deadline import MinRateDeadline
from facecli.core.errors import IdleTooLong, Unavailable

RECEIVE_QUEUE = 2  # messages that may wait to be written
COMMIT_QUEUE = 8  # finished chunks that may wait to be stored, together
LOOK_EVERY = 0.2  # seconds between two looks at idleness and draining

T = TypeVar("T")
Q = TypeVar("Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How many seconds a stream may say nothing, and from when on it is too slow in bytes a second."""

    idle: float
    min_rate: int
    draining: threading.Event


class UploadPipeline(Generic[T]):
    """Calls `write` with every message, in a thread of its own; iterating gives what it finished, in batches.

    The next batch is whatever was finished while the last one was being stored.
    """

    def __init__(
        self,
        messages: Iterator[bytes],
        write: Callable[[bytes], T | None],
        *,
        limits: StreamLimits,
        active: Callable[[], bool],
        first: int,
        slot: Slot,
    ) -> None:
        """`first` is how many bytes the first message may have; `active` may raise what ends the stream."""
        self._messages = messages
        self._write = write
        self._limits = limits
        self._active = active
        self._arrived: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=RECEIVE_QUEUE)
        self._written: queue.Queue[T | BaseException | None] = queue.Queue(maxsize=COMMIT_QUEUE)
        self._credit = MinRateDeadline(idle=limits.idle, min_rate=limits.min_rate, first=first)
        self._slot = slot
        self._slot.idle_seconds = self._credit.idle_seconds
        self._abandoned = threading.Event()

    def __iter__(self) -> Generator[list[T], None, None]:
        """Ends with the messages. Raises what writing raised, IdleTooLong, or Unavailable when draining."""
        threads = [threading.Thread(target=work, daemon=True) for work in (self._receive, self._write_all)]
        for thread in threads:
            thread.start()
        try:
            ended = False
            while not ended:
                batch: list[T] = []
                items = [self._next(), *self._waiting()]
                for item in items:
                    if isinstance(item, BaseException):
                        yield batch
                        try:
                            raise item
                        finally:
                            del item, items  # or it would hold itself, by the frame in its traceback
                    if item is None:
                        ended = True
                    else:
                        batch.append(item)
                yield batch
        finally:
            self._abandoned.set()

    def _next(self) -> T | BaseException | None:
        while True:
            # Also between the chunks of a client who would keep a stopping server waiting, drips chunks, or
            # goes on with a token that was revoked. What came whole before a cut is still given.
            if self._limits.draining.is_set():
                raise Unavailable("the server is shutting down; go on with this upload when it is back")
            active = self._active()
            self._check_pace()
            try:
                return self._written.get(timeout=LOOK_EVERY)
            except queue.Empty:
                if not active:
                    raise grpc.RpcError from None

    def _waiting(self) -> Iterator[T | BaseException | None]:
        try:
            while True:
                yield self._written.get_nowait()
        except queue.Empty:
            return

    def _check_pace(self) -> None:
        if self._slot.evicted:
            raise IdleTooLong(
                "nothing arrived for a while, and another upload needed the slot; what was stored is kept"
            )
        if self._credit.expired():
            limits = self._limits
            raise IdleTooLong(
                f"nothing arrived for {limits.idle:.0f} s, or less than {limits.min_rate} bytes a second; "
                "what was stored is kept"
            )

    # What ended a thread is returned out of the frame that caught it. Held there, the error would hold that
    # frame by its traceback, and with it a message of 10 MiB, until somebody collects the garbage.

    def _receive(self) -> None:
        self._hand_over(self._arrived, self._received())

    def _received(self) -> BaseException | None:
        try:
            for message in self._messages:
                self._credit.received(len(message))
                if not self._hand_over(self._arrived, message):
                    return None
                self._credit.begin()
            self._credit.received(0)  # it has said all, and waits for us
        except grpc.RpcError as error:
            # gRPC itself makes such a circle of it. The frames of ours are taken out, and another one given.
            error.__traceback__ = None
            return grpc.RpcError()
        except Exception as error:
            return error
        return None

    def _write_all(self) -> None:
        self._hand_over(self._written, self._all_written())

    def _all_written(self) -> BaseException | None:
        try:
            while isinstance(message := self._take(), bytes):
                finished = self._write(message)
                if finished is not None and not self._hand_over(self._written, finished):
                    return None
        except Exception as error:
            return error
        return message

    def _take(self) -> bytes | BaseException | None:
        while not self._abandoned.is_set():
            try:
                return self._arrived.get(timeout=LOOK_EVERY)
            except queue.Empty:
                continue
        return None

    def _hand_over(self, to: queue.Queue[Q], item: Q) -> bool:
        while not self._abandoned.is_set():
            try:
                to.put(item, timeout=LOOK_EVERY)
            except queue.Full:
                continue
            return True
        return False
