"""Server reflection: tools such as grpcurl list and call the methods without the proto files."""

from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from facecli.core.errors import InvalidInput
from facecli.rpc.client_waits import ClientWaits
from facecli.rpc.methods import method_of
from facecli.rpc.request_stream import RequestStream

_METHOD = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"


class ReflectionServicer(reflection.ReflectionServicer):  # type: ignore[misc]  # it has no types
    """Holds a slot for calls without a message while it waits for the next question."""

    def __init__(self, services: Sequence[str], waits: ClientWaits) -> None:
        super().__init__([*services, reflection.SERVICE_NAME])
        self._waits = waits

    def ServerReflectionInfo(self, request_iterator: RequestStream, context: grpc.ServicerContext) -> Any:
        return super().ServerReflectionInfo(self._questions(request_iterator, context), context)

    def _questions(self, stream: RequestStream, context: grpc.ServicerContext) -> Iterator[Any]:
        largest = method_of(_METHOD).largest_request
        while (data := self._waits.first_message(stream, context, largest=largest)) is not None:
            if len(data) > largest:
                raise InvalidInput(f"a request of reflection has at most {largest} bytes")
            try:
                yield reflection_pb2.ServerReflectionRequest.FromString(data)
            except DecodeError as error:
                raise InvalidInput("the message is not a request of reflection") from error


def add_reflection(server: grpc.Server, services: Sequence[str], waits: ClientWaits) -> None:
    """Register the reflection of these services."""
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(ReflectionServicer(services, waits), server)
