"""Interceptors made of context managers, around calls of every kind."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import grpc

Guard = Callable[[grpc.ServicerContext, str], AbstractContextManager[None]]
F = TypeVar("F", bound=Callable[..., Any])

# Attributes by which gRPC recognizes a method that ends its calls itself, through its argument `send`, and
# one that runs in a thread pool of its own.
_NON_BLOCKING = "experimental_non_blocking"
_POOL = "experimental_thread_pool"


def without_thread(method: F) -> F:
    """Mark a response-streaming method that returns at once while its call goes on.

    It gets a `send` argument: `send(message)` blocks until the message is on its way, `send(None)` ends the
    call. Calls of one `send` must not overlap.
    """
    setattr(method, _NON_BLOCKING, True)
    return method


def is_without_thread(method: Callable[..., Any]) -> bool:
    return hasattr(method, _NON_BLOCKING)


def running_in(pool: object, method: F) -> F:
    """Mark a method whose calls run in this pool."""
    setattr(method, _POOL, pool)
    return method


def pool_of(method: Callable[..., Any]) -> Any:
    """The pool in which the calls of a method run."""
    return getattr(method, _POOL)


def marked_like(method: Callable[..., Any], wrapped: F) -> F:
    """Give a wrapped method the marks of the one it wraps."""
    for mark in (_NON_BLOCKING, _POOL):
        if hasattr(method, mark):
            setattr(wrapped, mark, getattr(method, mark))
    return wrapped


def close_at_end(context: grpc.ServicerContext, stack: ExitStack) -> None:
    """Close what the stack holds when the call has ended, however it does."""
    held = stack.pop_all()
    if not context.add_callback(held.close):
        held.close()


def behaviour_of(handler: Any) -> Callable[..., Any]:
    """The method of a handler."""
    return getattr(handler, _KINDS[handler.request_streaming, handler.response_streaming][1])  # type: ignore[no-any-return]


def with_behaviour(handler: Any, method: Callable[..., Any]) -> Any:
    """The handler with another method of the same kind."""
    make = _KINDS[handler.request_streaming, handler.response_streaming][0]
    return make(
        method,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


class Wrapping(grpc.ServerInterceptor):
    """Enters a guard with the call's context and method around each call."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        guard, method = self._guard, handler_call_details.method
        behaviour = behaviour_of(handler)

        def unary(request: Any, context: grpc.ServicerContext) -> Any:
            with guard(context, method):
                return behaviour(request, context)

        def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with guard(context, method):
                yield from behaviour(request, context)

        def non_blocking(request: Any, context: grpc.ServicerContext, send: Callable[[Any], None]) -> None:
            with ExitStack() as stack:
                stack.enter_context(guard(context, method))
                behaviour(request, context, send)
                close_at_end(context, stack)

        wrapped: Callable[..., Any] = stream if handler.response_streaming else unary
        if is_without_thread(behaviour):
            wrapped = non_blocking
        return with_behaviour(handler, marked_like(behaviour, wrapped))


_KINDS: dict[tuple[bool, bool], tuple[Any, str]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}
