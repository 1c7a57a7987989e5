"""What a client was told while it sent, and what follows: delays of acknowledgements, bytes sent twice."""

import time
from collections.abc import Callable, Sequence
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


def delays(moments: Sequence[Moment], *, chunk_size: int) -> list[float]:
    """Seconds from when the last byte of a chunk left until its acknowledgement was heard; of every chunk.

    0 where the acknowledgement was heard before the thread that sends came to say that the chunk had left.
    """
    found: dict[tuple[int, int], float] = {}  # by file and chunk
    left: dict[tuple[int, int], float] = {}
    stored: dict[int, int] = {}
    for moment in moments:
        chunk = (moment.file, (moment.position - 1) // chunk_size)
        if moment.what is What.SENT and moment.position <= stored.get(moment.file, 0):
            found[chunk] = 0.0
        elif moment.what is What.SENT:
            left[chunk] = moment.at
        elif moment.what is What.STORED:
            stored[moment.file] = moment.position
            for each in [each for each in left if each[0] == moment.file and each <= chunk]:
                found[each] = moment.at - left.pop(each)
    return list(found.values())


def resent(moments: Sequence[Moment], *, chunk_size: int) -> list[int]:
    """After each break, the bytes that had left before and left again."""
    found: list[int] = []
    reached: dict[int, int] = {}  # by file: up to where it has ever left
    begins: dict[int, int] = {}  # by file: where its next frame begins, when one has left since the break
    for moment in moments:
        file, position = moment.file, moment.position
        if moment.what is What.BREAK:
            found.append(0)
            begins.clear()
        elif moment.what is What.SENT:
            # What is gone on with begins with a chunk, and a frame is part of one.
            begin = begins.get(file, (position - 1) // chunk_size * chunk_size)
            if (again := min(position, reached.get(file, 0)) - begin) > 0:
                found[-1] += again
            reached[file] = max(position, reached.get(file, 0))
            begins[file] = position
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
