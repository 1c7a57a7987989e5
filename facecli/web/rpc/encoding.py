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

MAX_REASON = 200  # characters of what is wrong with a JSON message


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """`content_type` is the usual one for its protocol.

    `text` is whether the whole body is base64, as browsers without binary responses need it.
    """

    content_type: str
    json: bool = False
    text: bool = False

    def largest_body(self, largest: int) -> int:
        """Bytes of a body with one message of at most `largest` bytes in protobuf."""
        return (largest * 3 // 2 if self.json or self.text else largest) + 4096


_BINARY = Encoding(content_type="application/grpc-web+proto")
_TEXT = Encoding(content_type="application/grpc-web+proto", text=True)
_GRPC_WEB = {
    "application/grpc-web": _BINARY,
    "application/grpc-web+proto": _BINARY,
    "application/grpc-web+json": Encoding(content_type="application/grpc-web+json", json=True),
    "application/grpc-web-text": _TEXT,
    "application/grpc-web-text+proto": _TEXT,
}
_CONNECT_UNARY = {
    "application/proto": Encoding(content_type="application/proto"),
    "application/json": Encoding(content_type="application/json", json=True),
}
_CONNECT_STREAM = {
    "application/connect+proto": Encoding(content_type="application/connect+proto"),
    "application/connect+json": Encoding(content_type="application/connect+json", json=True),
}


def content_types(method: MethodDescriptor) -> dict[str, Encoding]:
    """The content types that a method takes."""
    streams = method.client_streaming or method.server_streaming
    return {**_GRPC_WEB, **(_CONNECT_STREAM if streams else _CONNECT_UNARY)}


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
