"""What clients wrote to an upload and were told of it, and what may be stored after that."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import grpc

from facecli.wire.errors import from_rpc

NEVER = 10**9


class End(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"  # nobody was told


@dataclass
class Write:
    """A whole chunk that somebody sent: stored between `sent` and `ended`, or never when it failed."""

    index: int
    data: bytes
    sent: int
    ended: int = NEVER
    end: End = End.UNKNOWN


class History:
    """Writes, each with the moments when it began and ended."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self._moment = 0

    def begin(self, index: int, length: int, data: bytes = b"") -> Write:
        """A write that is sent now, with bytes that no other has unless some are given."""
        self._moment += 1
        own = f"{self._moment:04}".encode().ljust(length, b".")
        self.writes.append(Write(index, data or own, self._moment))
        return self.writes[-1]

    def end(self, write: Write, call: Callable[[], object]) -> str:
        """Wait for how a write ends: the reason why it was refused, empty when it was not."""
        try:
            call()
        except grpc.RpcError as error:
            write.end, reason = End.FAILED, from_rpc(error, server="").reason
        else:
            write.end, reason = End.OK, ""
        self._moment += 1
        write.ended = self._moment
        return reason

    def settle(self) -> None:
        """What was lost on the way cannot be stored any more from now on."""
        for write in self.writes:
            if write.end is End.UNKNOWN:
                write.ended = min(write.ended, self._moment)

    def is_acknowledged(self, index: int) -> bool:
        return any(write.end is End.OK for write in self.writes if write.index == index)

    def possible(self, index: int) -> set[bytes]:
        """What a chunk may hold: nothing that failed, nothing that ended before an acknowledged one began."""
        writes = [write for write in self.writes if write.index == index and write.end is not End.FAILED]
        newest = max((write.sent for write in writes if write.end is End.OK), default=0)
        return {write.data for write in writes if write.ended >= newest}
