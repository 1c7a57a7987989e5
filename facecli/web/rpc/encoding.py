"""Encodings of a request by its content type: protobuf or JSON, in binary or base64 text."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectrpc.codec import Codec
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped, shortened

GRPC_WEB, GRPC_WEB_TEXT = "application/grpc-web", "application/grpc-web-text"
MAX_REASON = 200  # characters of what is wrong with a JSON message


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """`text` is whether the whole body is base64, as browsers without binary responses need it."""

    json: bool
    text: bool

    def largest_body(self, largest: int) -> int:
        """Bytes of a body with one message of at most `largest` bytes in protobuf."""
        return (largest * 3 // 2 if self.json or self.text else largest) + 4096


_STREAMS = {
    f"{GRPC_WEB}": Encoding(json=False, text=False),
    f"{GRPC_WEB}+proto": Encoding(json=False, text=False),
    f"{GRPC_WEB}+json": Encoding(json=True, text=False),
    f"{GRPC_WEB_TEXT}": Encoding(json=False, text=True),
    f"{GRPC_WEB_TEXT}+proto": Encoding(json=False, text=True),
}
_CONNECT_UNARY = {
    "application/proto": Encoding(json=False, text=False),
    "application/json": Encoding(json=True, text=False),
}
_CONNECT_STREAM = {
    "application/connect+proto": Encoding(json=False, text=False),
    "application/connect+json": Encoding(json=True, text=False),
}


def content_types(method: MethodDescriptor) -> dict[str, Encoding]:
    """The content types that a method takes."""
    streams = method.client_streaming or method.server_streaming
    return {**_STREAMS, **(_CONNECT_STREAM if streams else _CONNECT_UNARY)}


class PassThrough(Codec[bytes, Any]):
    """A codec that leaves messages as they are: a thread of the server converts them, not the event loop."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name

    def encode(self, message: bytes) -> bytes:
        return message

    def decode(self, data: bytes | bytearray, message_class: type[Any]) -> Any:
        return bytes(data)


def decoder(encoding: Encoding, method: MethodDescriptor) -> Callable[[bytes], bytes]:
    """Turn a message as it was sent into serialized protobuf; InvalidInput when it is no such message."""
    message_class = GetMessageClass(method.input_type)

    def from_json(data: bytes) -> bytes:
        message = message_class()
        try:
            json_format.Parse(data, message)
        except (json_format.ParseError, ValueError, RecursionError) as error:
            text = escaped(shortened(str(error), MAX_REASON))
            raise InvalidInput(f"the message is not a request of {method.name}: {text}") from error
        return message.SerializeToString()

    return from_json if encoding.json else _unchanged


def encoder(encoding: Encoding) -> Callable[[Message], bytes]:
    return _to_json if encoding.json else _to_proto


def _unchanged(data: bytes) -> bytes:
    return data


def _to_json(message: Message) -> bytes:
    return json.dumps(json_format.MessageToDict(message), separators=(",", ":")).encode()


def _to_proto(message: Message) -> bytes:
    return message.SerializeToString()
