"""Interceptors made of context managers, around calls of every kind."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import grpc

Guard = Callable[[grpc.ServicerContext, str], AbstractContextManager[None]]
F = TypeVar("F", bound=Callable[..., None])

# The attribute by which gRPC recognizes a method that holds no thread; its own health service has one.
_NON_BLOCKING = "experimental_non_blocking"


def without_thread(method: F) -> F:
    """Mark a response-streaming method that returns at once while its call goes on.

    It gets a `send` argument: `send(message)` blocks until the message is on its way, `send(None)` ends the
    call. Calls of one `send` must not overlap.
    """
    setattr(method, _NON_BLOCKING, True)
    return method


def close_at_end(context: grpc.ServicerContext, stack: ExitStack) -> None:
    """Close what the stack holds when the call has ended, however it does."""
    held = stack.pop_all()
    if not context.add_callback(held.close):
        held.close()


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

        def unary(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            def call(request: Any, context: grpc.ServicerContext) -> Any:
                with guard(context, method):
                    return behaviour(request, context)

            return call

        def stream(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Iterator[Any]]:
            def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                with guard(context, method):
                    yield from behaviour(request, context)

            return call

        def non_blocking(behaviour: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
            @without_thread
            def call(request: Any, context: grpc.ServicerContext, send: Callable[[Any], None]) -> None:
                with ExitStack() as stack:
                    stack.enter_context(guard(context, method))
                    behaviour(request, context, send)
                    close_at_end(context, stack)

            return call

        make, name, responses = _KINDS[handler.request_streaming, handler.response_streaming]
        behaviour = getattr(handler, name)
        is_non_blocking = hasattr(behaviour, _NON_BLOCKING)
        wrap = non_blocking if is_non_blocking else stream if responses == "many" else unary
        return make(
            wrap(behaviour),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


_KINDS: dict[tuple[bool, bool], tuple[Any, str, str]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary", "one"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream", "many"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary", "one"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream", "many"),
}
