"""The transfer history of a bench client, and its evaluation: acknowledgement delays and bytes sent twice."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.progress import TransferProgress


class TransferEventKind(StrEnum):
    SENT = "sent"
    STORED = "stored"
    BREAK = "break"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEvent:
    """An event of a transfer: the bytes of `file` (counted from 0) before `position` were sent or stored."""

    at: float
    kind: TransferEventKind
    file: int = 0
    position: int = 0


class TransferHistory:
    """Records the transfer events of one client in one run. `on_stored` gets the total of all files."""

    def __init__(
        self,
        *,
        on_stored: Callable[[int], None] = lambda stored: None,
        on_waiting: Callable[[str, float], None] = lambda reason, seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.events: list[TransferEvent] = []
        self._on_stored = on_stored
        self._on_waiting = on_waiting
        self._clock = clock
        self._stored: list[int] = []

    def next_file(self) -> TransferProgress:
        """The progress observer for the next file."""
        self._stored.append(0)
        return _FileProgress(self, len(self._stored) - 1)

    def sent(self, file: int, position: int) -> None:
        """Record sent bytes; called by the sending thread, unlike all other methods."""
        self._record(TransferEventKind.SENT, file, position)

    def stored(self, file: int, position: int) -> None:
        self._record(TransferEventKind.STORED, file, position)
        self._stored[file] = position
        self._on_stored(sum(self._stored))

    def broke(self, reason: str, seconds: float) -> None:
        self._record(TransferEventKind.BREAK)
        self._on_waiting(reason, seconds)

    def _record(self, kind: TransferEventKind, file: int = 0, position: int = 0) -> None:
        self.events.append(TransferEvent(at=self._clock(), kind=kind, file=file, position=position))


def ack_delays(events: Sequence[TransferEvent], *, chunk_size: int) -> list[float]:
    """Seconds from sending the last byte of a chunk to its acknowledgement, for every chunk.

    0 when the acknowledgement was recorded before the sending thread recorded the chunk as sent.
    """
    delays: dict[tuple[int, int], float] = {}  # by file and chunk
    sent_at: dict[tuple[int, int], float] = {}
    stored: dict[int, int] = {}
    for event in events:
        chunk = (event.file, (event.position - 1) // chunk_size)
        if event.kind is TransferEventKind.SENT and event.position <= stored.get(event.file, 0):
            delays[chunk] = 0.0
        elif event.kind is TransferEventKind.SENT:
            sent_at[chunk] = event.at
        elif event.kind is TransferEventKind.STORED:
            stored[event.file] = event.position
            for acknowledged in [each for each in sent_at if each[0] == event.file and each <= chunk]:
                delays[acknowledged] = event.at - sent_at.pop(acknowledged)
    return list(delays.values())


def resent_bytes(events: Sequence[TransferEvent], *, chunk_size: int) -> list[int]:
    """The bytes sent again after each break."""
    resent: list[int] = []
    sent: dict[int, int] = {}  # by file: the end of the bytes that were ever sent
    frame_starts: dict[int, int] = {}  # by file sent since the break: the start of the next frame
    for event in events:
        file, position = event.file, event.position
        if event.kind is TransferEventKind.BREAK:
            resent.append(0)
            frame_starts.clear()
        elif event.kind is TransferEventKind.SENT:
            # A transfer resumes at the start of a chunk, and its first frame lies within that chunk.
            start = frame_starts.get(file, (position - 1) // chunk_size * chunk_size)
            if (again := min(position, sent.get(file, 0)) - start) > 0:
                resent[-1] += again
            sent[file] = max(position, sent.get(file, 0))
            frame_starts[file] = position
    return resent


class _FileProgress:
    def __init__(self, history: TransferHistory, file: int) -> None:
        self._history = history
        self._file = file

    def begin(self, name: str, total: int | None, stored: int) -> None:
        if stored:
            self.stored(stored)

    def sent(self, total_sent: int) -> None:
        self._history.sent(self._file, total_sent)

    def stored(self, total_stored: int) -> None:
        self._history.stored(self._file, total_stored)

    def waiting(self, reason: str, seconds: float) -> None:
        self._history.broke(reason, seconds)

    def verified(self) -> None: ...
