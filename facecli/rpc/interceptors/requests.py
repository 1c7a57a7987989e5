"""Waits for the message of a call only after the call was authenticated, and deserializes it."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from facecli.core.errors import InvalidInput
from facecli.rpc.client_waits import ClientWaits
from facecli.rpc.interceptors.wrapping import behaviour_of, is_without_thread, marked_like
from facecli.rpc.methods import method_of
from facecli.rpc.request_stream import RequestStream


class Requests(grpc.ServerInterceptor):
    """Makes every method one that takes a stream. Methods inside that take one message get their message."""

    def __init__(self, waits_of: Callable[[str], ClientWaits]) -> None:
        self._waits_of = waits_of

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        behaviour, path = behaviour_of(handler), handler_call_details.method
        waits, largest = self._waits_of(path), method_of(path).largest_request

        def message(stream: RequestStream, context: grpc.ServicerContext) -> Any:
            data = waits.first_message(stream, context, largest=largest)
            if data is None:
                context.abort(
                    grpc.StatusCode.UNIMPLEMENTED, f'"{path}" requires exactly one request message.'
                )
            return _deserialized(data, handler.request_deserializer, path, largest)

        def unary(stream: RequestStream, context: grpc.ServicerContext) -> Any:
            return behaviour(message(stream, context), context)

        def streaming(stream: RequestStream, context: grpc.ServicerContext) -> Iterator[Any]:
            yield from behaviour(message(stream, context), context)

        def non_blocking(
            stream: RequestStream, context: grpc.ServicerContext, send: Callable[[Any], None]
        ) -> None:
            behaviour(message(stream, context), context, send)

        wrapped: Callable[..., Any] = streaming if handler.response_streaming else unary
        if is_without_thread(behaviour):
            wrapped = non_blocking
        kinds = {False: grpc.stream_unary_rpc_method_handler, True: grpc.stream_stream_rpc_method_handler}
        return kinds[handler.response_streaming](
            marked_like(behaviour, wrapped), response_serializer=handler.response_serializer
        )


def _deserialized(data: bytes | None, deserialize: Callable[[bytes], Any], path: str, largest: int) -> Any:
    name = path.rpartition("/")[2]
    if data is None or len(data) > largest:
        raise InvalidInput(f"a request of {name} has at most {largest} bytes")
    try:
        return deserialize(data)
    except DecodeError as error:
        raise InvalidInput(f"the message is not a request of {name}") from error
