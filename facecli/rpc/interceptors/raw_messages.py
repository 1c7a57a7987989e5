"""Leaves the messages of upload streams serialized: `wire/frames.py` decodes them without copying."""

from collections.abc import Callable
from typing import Any

import grpc

from facecli.rpc.methods import method_of


class RawMessages(grpc.ServerInterceptor):
    """Removes the request deserializer of methods that take raw messages."""

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or not method_of(handler_call_details.method).raw_messages:
            return handler
        return handler._replace(request_deserializer=None)
