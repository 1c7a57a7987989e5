"""The id of every call that runs, in its log lines, in its audit record, and in its error; and who calls."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.authentication import Caller


class Requests:
    def __init__(self) -> None:
        self._ids: dict[grpc.ServicerContext, str] = {}
        self._callers: dict[grpc.ServicerContext, Caller] = {}

    @contextmanager
    def numbered(self, context: grpc.ServicerContext, method: str) -> Iterator[None]:
        """The outermost guard of a call."""
        self._ids[context] = uuid.uuid4().hex[:12]
        try:
            yield
        finally:
            del self._ids[context]
            self._callers.pop(context, None)

    def of(self, context: grpc.ServicerContext) -> str:
        return self._ids[context]

    def let_in(self, context: grpc.ServicerContext, caller: Caller) -> None:
        self._callers[context] = caller

    def caller(self, context: grpc.ServicerContext) -> Caller | None:
        """None of a call that was refused before anybody looked what it is about."""
        return self._callers.get(context)


def outcome(context: grpc.ServicerContext) -> str:
    """How a call ended, as the name of its status."""
    unsaid = grpc.StatusCode.OK if context.is_active() else grpc.StatusCode.CANCELLED
    code = context.code() or unsaid  # type: ignore[attr-defined]  # which types-grpcio lacks
    return code.name if isinstance(code, grpc.StatusCode) else str(code)
