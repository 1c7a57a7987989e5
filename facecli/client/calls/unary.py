"""Unary calls: one request, one converted response, retried while the server is away."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from facecli.client.connection import Connection, Metadata
from facecli.core.errors import FacecliError, LimitReached, ServerUnreachable, Unavailable, UnexpectedResponse

T = TypeVar("T")


class UnaryCalls:
    """Makes unary calls on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(
        self,
        method: Any,
        request: Any,
        read: Callable[[Any], T],
        *,
        metadata: Metadata = (),
        retry_for: float | None = None,
        timeout: float | None = None,
        done: tuple[type[FacecliError], Callable[[], T]] | None = None,
    ) -> T:
        """Make a call and return what `read` makes of its response.

        A server that is away is asked again for `retry_for` seconds, by default the connection's. A call
        refused for a limit is repeated when the server asks, as long as that is within the time of a call.
        `done` names the error that, after a call whose fate is unknown, means that it had succeeded, and the
        result then.
        """
        connection = self._connection
        limit = connection.retry_for if retry_for is None else retry_for
        budget, refusals = connection.retry_budget(limit), connection.retry_budget(connection.call_timeout)
        if connection.outage.since is not None:
            budget.start(connection.outage.since)
        refusals.start()
        uncertain = False
        while True:
            try:
                return self._once(method, request, read, metadata, timeout or connection.call_timeout)
            except LimitReached as error:
                if not (limit and error.retryable and refusals.wait_as_asked(error)):
                    raise
            except Unavailable as error:
                uncertain = uncertain or not isinstance(error, ServerUnreachable)
                if not (error.retryable and budget.wait(error)):
                    raise
            except FacecliError as error:
                if uncertain and done and isinstance(error, done[0]):
                    return done[1]()
                raise

    def _once(
        self, method: Any, request: Any, read: Callable[[Any], T], metadata: Metadata, timeout: float
    ) -> T:
        connection = self._connection
        within = connection.deadline.limited(timeout)

        def late(error: grpc.RpcError) -> Unavailable | None:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or _is_refusal(error):
                return None
            return Unavailable(
                f"the server {connection.servers} did not answer within {within:g} s", silent_for=int(within)
            )

        with connection.translated_errors(late):
            response = method(request, timeout=within, metadata=(*connection.metadata, *metadata))
            connection.outage.ended()
            if response is None:  # gRPC's return value for a call that ended well without a message
                raise UnexpectedResponse("no message")
            return read(response)


def _is_refusal(error: grpc.RpcError) -> bool:
    """Whether the server itself has sent the status."""
    return isinstance(error, grpc.Call) and bool(error.trailing_metadata())
