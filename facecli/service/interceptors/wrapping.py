"""Runs every call of every kind inside a context manager."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc

Guard = Callable[[grpc.ServicerContext, str], AbstractContextManager[None]]


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
                with guard(context, method):
                    return behaviour(request, context)

            return call

        def many(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Iterator[Any]]:
            def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                with guard(context, method):
                    yield from behaviour(request, context)

            return call

        make, behaviour, wrap = _KINDS[handler.request_streaming, handler.response_streaming]
        return make(
            (many if wrap == "many" else one)(getattr(handler, behaviour)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


_KINDS: dict[tuple[bool, bool], tuple[Any, str, str]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary", "one"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream", "many"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary", "one"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream", "many"),
}
