"""Receives the frames of one call while the chunks before are being stored."""

import queue
import threading
import time
from collections.abc import Callable, Iterator

import grpc

from facecli.core.errors import FacecliError, IdleTooLong, Unavailable
from facecli.core.upload_writer import UploadWriter
from facecli.core.uploads import Chunk, Frame

AHEAD = 2  # finished chunks that may wait for their flush
LOOK_EVERY = 0.2  # seconds between two looks at idleness and draining


class Intake:
    """Writes frames in a thread of its own; iterating gives the chunks that were written, not yet flushed."""

    def __init__(
        self,
        frames: Iterator[Frame],
        writer: UploadWriter,
        *,
        idle_limit: float,
        draining: threading.Event,
        active: Callable[[], bool],
    ) -> None:
        self._frames = frames
        self._writer = writer
        self._idle_limit = idle_limit
        self._draining = draining
        self._active = active
        self._finished: queue.Queue[Chunk | BaseException | None] = queue.Queue(maxsize=AHEAD)
        self._heard = time.monotonic()
        self._abandoned = threading.Event()

    def __iter__(self) -> Iterator[Chunk]:
        """Ends with the frames. Raises what writing raised, IdleTooLong, or Unavailable when draining."""
        threading.Thread(target=self._receive, name="intake", daemon=True).start()
        try:
            while (item := self._next()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._abandoned.set()

    def _next(self) -> Chunk | BaseException | None:
        while True:
            # Also between the chunks of a fast client, who would keep a stopping server waiting.
            if self._draining.is_set():
                raise Unavailable("the server is shutting down; go on with this upload when it is back")
            try:
                return self._finished.get(timeout=LOOK_EVERY)
            except queue.Empty:
                self._check()

    def _check(self) -> None:
        if not self._active():
            raise grpc.RpcError
        if time.monotonic() - self._heard > self._idle_limit:
            raise IdleTooLong(f"nothing arrived for {self._idle_limit:.0f} s; what was stored is kept")

    def _receive(self) -> None:
        end: BaseException | None = None
        try:
            for frame in self._frames:
                self._heard = time.monotonic()
                chunk = self._writer.write(frame)
                if chunk is not None and not self._hand_over(chunk):
                    return
                self._heard = time.monotonic()
        except (FacecliError, grpc.RpcError) as error:
            end = error
        except Exception as error:
            end = error
            raise
        finally:
            self._hand_over(end)

    def _hand_over(self, item: Chunk | BaseException | None) -> bool:
        while not self._abandoned.is_set():
            try:
                self._finished.put(item, timeout=LOOK_EVERY)
            except queue.Full:
                continue
            return True
        return False
