"""What a client was told while it sent, and what follows: delays of acknowledgements, bytes sent twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.progress import TransferProgress


class What(StrEnum):
    SENT = "sent"
    STORED = "stored"
    BREAK = "break"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`position` is the byte of the file up to which it was sent or stored; `file` counts from 0."""

    at: float
    what: What
    file: int = 0
    position: int = 0


class History:
    """Of the files of one client and one run. `told` hears what is stored of all of them together."""

    def __init__(
        self,
        *,
        told: Callable[[int], None] = lambda stored: None,
        waiting: Callable[[str, float], None] = lambda reason, seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.moments: list[Moment] = []
        self._told = told
        self._waiting = waiting
        self._clock = clock
        self._stored: list[int] = []

    def of_next_file(self) -> TransferProgress:
        """Where its transfer tells what happens."""
        self._stored.append(0)
        return _OfFile(self, len(self._stored) - 1)

    def sent(self, file: int, position: int) -> None:
        """Comes from another thread than all the rest."""
        self.moments.append(Moment(at=self._clock(), what=What.SENT, file=file, position=position))

    def stored(self, file: int, position: int) -> None:
        self.moments.append(Moment(at=self._clock(), what=What.STORED, file=file, position=position))
        self._stored[file] = position
        self._told(sum(self._stored))

    def broke(self, reason: str, seconds: float) -> None:
        self.moments.append(Moment(at=self._clock(), what=What.BREAK))
        self._waiting(reason, seconds)


def delays(moments: list[Moment]) -> list[float]:
    """Seconds from when a chunk left, for the last time, until its acknowledgement was heard; of every chunk.

    0 where the acknowledgement was heard before the thread that sends came to say that the chunk had left.
    """
    found: list[float] = []
    left: dict[tuple[int, int], float] = {}
    stored: dict[int, int] = {}
    for moment in moments:
        if moment.what is What.SENT and moment.position <= stored.get(moment.file, 0):
            found.append(0.0)
        elif moment.what is What.SENT:
            left[moment.file, moment.position] = moment.at
        elif moment.what is What.STORED:
            stored[moment.file] = moment.position
            for file, position in [*left]:
                if file == moment.file and position <= moment.position:
                    found.append(moment.at - left.pop((file, position)))
    return found


def resent(moments: list[Moment], *, chunk_size: int) -> list[int]:
    """After each break, the bytes of the whole chunks that had left before and left again."""
    found: list[int] = []
    reached: dict[int, int] = {}
    for moment in moments:
        if moment.what is What.BREAK:
            found.append(0)
        elif moment.what is What.SENT:
            begin = (moment.position - 1) // chunk_size * chunk_size
            if begin < reached.get(moment.file, 0):
                # A chunk that its checksum refused is sent again without a break.
                found = found or [0]
                found[-1] += reached[moment.file] - begin
            reached[moment.file] = moment.position
    return found


class _OfFile:
    def __init__(self, history: History, file: int) -> None:
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
