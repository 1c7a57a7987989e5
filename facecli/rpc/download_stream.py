"""Idle timeout, minimum rate and eviction of a download whose client does not read."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.api.admission import Slot
from facecli.api.stream_deadline import StreamLimits
from facecli.core.errors import IdleTooLong
from facecli.uploads.upload import FRAME_SIZE


class DownloadStream:
    """Tracks how long a client takes to read each block; one that reads at the minimum rate is not idle."""

    def __init__(self, cancel: Callable[[], object], slot: Slot, limits: StreamLimits) -> None:
        """`cancel` ends a call whose own thread is blocked; any thread may call it."""
        self._cancel = cancel
        self._slot = slot
        self._idle_limit = limits.idle
        self._expected = FRAME_SIZE / limits.min_rate if limits.min_rate else 0.0  # seconds per block
        self._sending_since: float | None = None
        slot.idle_seconds = self.idle_seconds

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send a block; IdleTooLong afterwards when the slot went to another call meanwhile."""
        self._sending_since = time.monotonic()
        try:
            yield
        finally:
            self._sending_since = None
        if self._slot.evicted:
            raise IdleTooLong("the client read nothing for too long; resume the download from where it is")

    def idle_seconds(self) -> float:
        since = self._sending_since
        return 0.0 if since is None else max(0.0, time.monotonic() - since - self._expected)

    def check(self) -> None:
        """Cancel the call of an idle client: its own thread is blocked by flow control."""
        if self._slot.evicted or self.idle_seconds() > self._idle_limit:
            self._cancel()
