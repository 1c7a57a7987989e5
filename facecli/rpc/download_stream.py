"""The client of one download, who may not take what is there for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.admission import Slot
from facecli.api.upload_pipeline import StreamLimits
from facecli.core.errors import IdleTooLong
from facecli.uploads.upload import FRAME_SIZE


class DownloadStream:
    """One that takes its blocks at the lowest rate is not silent."""

    def __init__(self, context: grpc.ServicerContext, slot: Slot, limits: StreamLimits) -> None:
        self._context = context
        self._slot = slot
        self._idle = limits.idle
        self._expected = FRAME_SIZE / limits.min_rate if limits.min_rate else 0.0
        self._since: float | None = None
        slot.idle_seconds = self.idle_seconds

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While a block is on its way; IdleTooLong after it when that took too long."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None
        if self._slot.evicted:
            raise IdleTooLong("nothing of the download was taken for too long; go on from where you are")

    def idle_seconds(self) -> float:
        since = self._since
        return 0.0 if since is None else max(0.0, time.monotonic() - since - self._expected)

    def check(self) -> None:
        """End the call of who takes nothing: its own thread waits for the block to leave."""
        if self._slot.evicted or self.idle_seconds() > self._idle:
            self._context.cancel()
