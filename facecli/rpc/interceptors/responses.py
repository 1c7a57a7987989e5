"""Sends the responses of every call, so that any thread can end a call with a status."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import grpc

from facecli.rpc.client_waits import CallEnded, ClientWaits
from facecli.rpc.interceptors.wrapping import behaviour_of, is_without_thread, marked_like, without_thread
from facecli.rpc.request_stream import RequestStream, Send


class Responses(grpc.ServerInterceptor):
    """The outermost interceptor. Makes every method one that sends its responses itself.

    On the wire nothing differs. Those inside get a RequestStream in place of gRPC's iterator.
    """

    def __init__(self, waits_of: Callable[[str], ClientWaits]) -> None:
        self._waits_of = waits_of

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        behaviour, waits = behaviour_of(handler), self._waits_of(handler_call_details.method)

        def run(stream: RequestStream, context: grpc.ServicerContext) -> None:
            if is_without_thread(behaviour):
                behaviour(stream, context, stream.send)
                return
            if handler.response_streaming:
                with closing(behaviour(stream, context)) as responses:
                    _send_all(responses, stream, context, waits)
            else:
                waits.answer(stream, context, behaviour(stream, context))
            stream.send(None)

        @without_thread
        def call(messages: Iterator[bytes], context: grpc.ServicerContext, send: Send) -> None:
            try:
                run(RequestStream(messages, context, send), context)
            except CallEnded:
                return

        return grpc.stream_stream_rpc_method_handler(
            marked_like(behaviour, call),
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )


def _send_all(
    responses: Iterator[Any], stream: RequestStream, context: grpc.ServicerContext, waits: ClientWaits
) -> None:
    for response in responses:
        waits.send(stream, context, response)
        if not context.is_active():
            return
