"""Messages between the engine and its process: a kind of one byte, a length of four, and so many bytes.

Theory of operation: the engine sends SETUP, PICTURE, then a frame at a time, and END. The process answers
READY once, then every frame with exactly one message: the next frame that is done, or NONE. After END it
sends the frames that it held back, and RESULT. REFUSED may come instead of any answer, and is the last one.
Frames are in the messages, or in memory that both share: then the messages are empty, and frame n, from 0,
is in place n % `SLOTS`.

The process works on hostile pixels, so whatever it sends is bounded, and checked by `Header.check`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

HEADER = struct.Struct("<BI")
SLOTS = 10  # frames in the shared memory: more than are on their way and held back together
MAX_JSON = 256 * 1024  # bytes


class Request(IntEnum):
    SETUP = 1  # JSON
    PICTURE = 2  # RGB pixels
    OWN_FRAME = 3  # planes
    OTHER_FRAME = 4  # planes of a frame around the segment, which is not wanted back
    END = 5


class Answer(IntEnum):
    READY = 129  # JSON
    FRAME = 130  # planes
    NONE = 131
    RESULT = 132  # JSON
    REFUSED = 133  # JSON


class Malformed(Exception):
    """The bytes are no message that may come now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    kind: int
    length: int

    @classmethod
    def parse(cls, data: bytes | bytearray) -> "Header":
        if len(data) != HEADER.size:
            raise Malformed("it stopped in the middle of a message")
        kind, length = HEADER.unpack(data)
        return cls(kind=kind, length=length)

    def check(self, *allowed: Answer, frame_bytes: int) -> Answer:
        """Return the kind; Malformed unless it is one of these, with a length that it may have."""
        if self.kind not in allowed:
            raise Malformed(f"message {self.kind} came out of turn")
        kind = Answer(self.kind)
        right = {Answer.FRAME: self.length == frame_bytes, Answer.NONE: self.length == 0}
        if not right.get(kind, self.length <= MAX_JSON):
            raise Malformed(f"a {kind.name.lower()} message of {self.length} bytes is too long or too short")
        return kind


def header(kind: Request | Answer, length: int = 0) -> bytes:
    return HEADER.pack(kind, length)


def encode_json(kind: Request | Answer, values: Mapping[str, Any]) -> bytes:
    data = json.dumps(values).encode()
    return header(kind, len(data)) + data


def decode_json(data: bytes | bytearray) -> dict[str, Any]:
    """Return the object; Malformed if the bytes are something else."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("its answer is no JSON") from None
    if not isinstance(values, dict):
        raise Malformed("its answer is no JSON object")
    return values
