"""The client of an in-process call, as the transport that carries the call presents it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message
from google.rpc import status_pb2

OK = 0  # the code of success


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeaders:
    """The beginning of a call; `certificate_names` are those in the verified certificate of its client."""

    path: str
    metadata: Sequence[tuple[str, str]]
    peer: str
    certificate_names: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStatus:
    """The end of a call: gRPC's number of its status, the message, and details as type URLs and bytes."""

    code: int
    message: str
    details: Sequence[tuple[str, bytes]]
    initial_metadata: Sequence[tuple[str, str]]

    @classmethod
    def of(
        cls,
        code: int,
        message: str,
        trailing_metadata: Sequence[tuple[str, str | bytes]],
        initial_metadata: Sequence[tuple[str, str]],
    ) -> "CallStatus":
        binary = dict(trailing_metadata).get("grpc-status-details-bin", b"")
        rich = status_pb2.Status.FromString(binary if isinstance(binary, bytes) else b"")
        details = [(each.type_url, each.value) for each in rich.details]
        return cls(code=code, message=message, details=details, initial_metadata=initial_metadata)


class CallClient(Protocol):
    """The other end of a call. Threads of the server call it, except for `end`, which may come from any."""

    def receive(self) -> bytes | None:
        """Wait for the next message; None when the client sends no more. ConnectionLost when it is gone, or
        when the call has ended."""
        ...

    def send(self, message: Message) -> None:
        """Return when the message is on its way, or when the call has ended."""
        ...

    def end(self, status: CallStatus) -> None:
        """End the call after the last message; returns at once."""
        ...

    def cut(self) -> None:
        """End the connection of a client that does not read; returns at once."""
        ...
