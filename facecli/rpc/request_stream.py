"""The request stream of a call, and the end of the call by any thread."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.errors import FacecliError
from facecli.wire.errors import to_status

Send = Callable[[Any], None]  # blocks until the message is on its way; None ends the call


class RequestStream:
    """The serialized messages of a call; ConnectionLost in place of gRPC's error."""

    def __init__(self, messages: Iterator[bytes], context: grpc.ServicerContext, send: Send) -> None:
        self._messages = messages
        self._context = context
        self._first: list[bytes] = []
        self.send = send
        self.holder = ""  # of its slots while it waits for its client

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first:
            return self._first.pop()
        try:
            return next(self._messages)
        except grpc.RpcError as error:
            # gRPC's error and its frame refer to each other. Without the frame nothing holds a message alive.
            error.__traceback__ = None
        raise ConnectionLost

    def put_back(self, message: bytes) -> None:
        """Yield this message next."""
        self._first.append(message)

    def end(self, error: FacecliError, *, request_id: str) -> None:
        """End the call with an error; returns at once. The thread that waits for a message gets none."""
        end_call(self._context, self.send, error, request_id=request_id)


def end_call(
    context: grpc.ServicerContext, send: Send, error: FacecliError | None = None, *, request_id: str = ""
) -> None:
    """End a call from any thread, with an error if any; no thread may send to it afterwards."""
    context.set_code(grpc.StatusCode.OK)
    if error:
        status = to_status(error, request_id=request_id)
        context.set_code(status.code)
        context.set_details(status.details)
        context.set_trailing_metadata(status.trailing_metadata)
    send(None)
