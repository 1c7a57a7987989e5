"""Chooses where a call runs when its headers arrive, by its method and whether it shows credentials."""

from collections.abc import Callable
from typing import Any

import grpc

from facecli.api.authentication import Authenticator
from facecli.core.errors import TooManyCalls, Unavailable
from facecli.rpc.calls import bearer_token
from facecli.rpc.interceptors.wrapping import behaviour_of, marked_like, running_in, with_behaviour
from facecli.rpc.methods import method_of
from facecli.rpc.thread_pools import CallPool, InServingThread

_TOO_MANY = (TooManyCalls, "this server has too many calls in its queue; try again in a second")
_DRAINING = (Unavailable, "the server is shutting down; try again in a second, or at another server")


class Dispatch(grpc.ServerInterceptor):
    """Belongs inside the guard that translates errors.

    Three kinds of calls are refused in the serving thread: without credentials that could be valid, without
    room in the queue, and while the server drains. `certificates` is whether clients show certificates, which
    only the call itself knows.
    """

    def __init__(
        self, authenticator: Authenticator, *, certificates: bool, calls: CallPool, health: CallPool
    ) -> None:
        self._authenticator = authenticator
        self._certificates = certificates
        self._calls = calls
        self._health = health
        self._serving_thread = InServingThread()
        self._draining = False

    def drain(self) -> None:
        """Refuse all calls from now on, except for health checks."""
        self._draining = True

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        anonymous = method_of(handler_call_details.method).anonymous
        pool = self._health if anonymous else self._calls
        behaviour = behaviour_of(handler)
        refusal = _TOO_MANY if pool.full else _DRAINING if self._draining and not anonymous else None
        if refusal:
            refuse = running_in(self._serving_thread, marked_like(behaviour, _refusal(*refusal)))
            return with_behaviour(handler, refuse)
        rejected = not anonymous and self._is_rejected(handler_call_details.invocation_metadata)

        def call(*arguments: Any) -> Any:
            return behaviour(*arguments)

        marked = marked_like(behaviour, call)
        return with_behaviour(handler, running_in(self._serving_thread if rejected else pool, marked))

    def _is_rejected(self, metadata: Any) -> bool:
        token = bearer_token(metadata)
        return self._authenticator.rejects(token) and not (token is None and self._certificates)


def _refusal(kind: type[Unavailable | TooManyCalls], text: str) -> Callable[..., Any]:
    def refuse(*_: object) -> Any:
        raise kind(text, retry_after=1)

    return refuse
