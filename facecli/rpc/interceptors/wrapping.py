"""Runs every call of every kind inside a context manager, which may listen to what changes something."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from typing import Any, Protocol, TypeVar

import grpc


class Listener(Protocol):
    def heard(self, request: Any) -> Any:
        """The same request, or an iterator that gives the same ones."""
        ...

    def said(self, response: Any) -> None: ...


Guard = Callable[[grpc.ServicerContext, str], AbstractContextManager[Listener | None]]
F = TypeVar("F", bound=Callable[..., None])

# How gRPC knows a method that holds no thread; its own health service has one.
_WITHOUT_THREAD = "experimental_non_blocking"


def without_thread(method: F) -> F:
    """For a method that streams answers: it is given a `send` as well and returns, the call goes on.

    `send(message)` waits until the message is on its way, `send(None)` ends the call; never two at once.
    """
    setattr(method, _WITHOUT_THREAD, True)
    return method


def until_the_end(context: grpc.ServicerContext, stack: ExitStack) -> None:
    """Leave what was entered so far when the call has ended, however it does."""
    held = stack.pop_all()
    if not context.add_callback(held.close):
        held.close()


class Wrapping(grpc.ServerInterceptor):
    """An interceptor made of one context manager, entered with the call's context and method."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        guard, method = self._guard, handler_call_details.method

        def one(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            def call(request: Any, context: grpc.ServicerContext) -> Any:
                with guard(context, method) as listener:
                    if listener is None:
                        return behaviour(request, context)
                    response = behaviour(listener.heard(request), context)
                    listener.said(response)
                    return response

            return call

        def many(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Iterator[Any]]:
            def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                with guard(context, method) as listener:
                    if listener is None:
                        yield from behaviour(request, context)
                        return
                    with closing(behaviour(listener.heard(request), context)) as responses:
                        for response in responses:
                            listener.said(response)
                            yield response

            return call

        def open_ended(behaviour: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
            @without_thread
            def call(request: Any, context: grpc.ServicerContext, send: Callable[[Any], None]) -> None:
                with ExitStack() as stack:
                    stack.enter_context(guard(context, method))
                    behaviour(request, context, send)
                    until_the_end(context, stack)

            return call

        make, name, answers = _KINDS[handler.request_streaming, handler.response_streaming]
        behaviour = getattr(handler, name)
        wrap = open_ended if hasattr(behaviour, _WITHOUT_THREAD) else many if answers == "many" else one
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
