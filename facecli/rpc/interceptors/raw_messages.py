"""Gives the messages of upload streams as they came: wire/frames.py reads them without copying."""

from collections.abc import Callable
from typing import Any

import grpc

METHODS = frozenset({"/video.UploadService/StreamUpload", "/video.VideoService/UploadVideo"})


class Raw(grpc.ServerInterceptor):
    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler_call_details.method not in METHODS:
            return handler
        return handler._replace(request_deserializer=None)
