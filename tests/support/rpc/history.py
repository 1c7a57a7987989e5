"""A history of writes and acknowledgements of one upload, and the contents that it allows."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import grpc

from facecli.wire.errors import from_rpc

NEVER = 10**9


class End(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"  # no response arrived


@dataclass
class Write:
    """A chunk that a client sent: stored between `sent` and `ended`, or never if it failed."""

    index: int
    data: bytes
    sent: int
    ended: int = NEVER
    end: End = End.UNKNOWN


class History:
    """Writes, each with its logical begin and end time."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self._moment = 0

    def begin(self, index: int, length: int, data: bytes = b"") -> Write:
        """Begin a write; its bytes are unique unless given."""
        self._moment += 1
        own = f"{self._moment:04}".encode().ljust(length, b".")
        self.writes.append(Write(index, data or own, self._moment))
        return self.writes[-1]

    def end(self, write: Write, call: Callable[[], object]) -> str:
        """Run a write to its end; the reason of a refusal, or empty."""
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
        """Rule out that writes with an unknown outcome are stored later."""
        for write in self.writes:
            if write.end is End.UNKNOWN:
                write.ended = min(write.ended, self._moment)

    def is_acknowledged(self, index: int) -> bool:
        return any(write.end is End.OK for write in self.writes if write.index == index)

    def possible(self, index: int) -> set[bytes]:
        """Contents that a chunk may have: no failed write, and none that ended before an acknowledged one."""
        writes = [write for write in self.writes if write.index == index and write.end is not End.FAILED]
        newest = max((write.sent for write in writes if write.end is End.OK), default=0)
        return {write.data for write in writes if write.ended >= newest}
