"""Mutants of a request, generated from its descriptor: extremes, and what no protobuf library would send."""

import struct
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

MIB = 1024 * 1024
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
INTEGERS = (-(2**63), -(2**31), -1, 0, 1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**64 - 1)
TEXTS = (
    b"",
    b"\0",
    b"\n\x1b[2J",
    "\u202egpj.exe".encode(),
    "é".encode() * 200,
    b"..",
    b"../../etc/passwd",
    b"/" * 1000,
    b"/uploads//",
    b"/outputs/x/y/z",
    b"0" * 32,
    b"nan",
    b"-1",
    b"x" * MIB,
    b"\xff\xfe",  # no UTF-8
    b"\xed\xa0\x80",  # half a surrogate pair
)
FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e308)
# google.protobuf.Timestamp allows the years 1 to 9999, and a second's nanoseconds.
SECONDS = (-(2**63), -62_135_596_801, -62_135_596_800, 0, 253_402_300_799, 253_402_300_800, 2**63 - 1)
NANOS = (-(2**31), -1, 0, 999_999_999, 1_000_000_000, 2**31 - 1)

_VARINTS = {"INT32", "INT64", "UINT32", "UINT64", "SINT32", "SINT64", "BOOL", "ENUM"}
_FIXED = {"FIXED32": 4, "SFIXED32": 4, "FIXED64": 8, "SFIXED64": 8}
_TYPES = {
    number: name.removeprefix("TYPE_")
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def mutants(base: Message) -> Iterator[tuple[str, bytes]]:
    """Names and serialized requests; each differs from `base` in one field, or is malformed as a whole."""
    whole = base.SerializeToString()
    yield "nothing", b""
    yield "nonsense", b"\xff" * 20
    yield "cut off", whole[:-1]
    yield "300 nested groups", b"\x0b" * 300
    yield "a field of number 0", whole + b"\0\0"
    yield (
        "unknown fields",
        whole + b"".join(_tagged(number, VARINT, _varint(7)) for number in range(900, 999)),
    )
    for field in base.DESCRIPTOR.fields:
        without = type(base)()
        without.CopyFrom(base)
        without.ClearField(field.name)
        rest = without.SerializeToString()
        yield f"{field.name} missing", rest
        values = [(name, raw) for name, raw in _raw(field)]
        for name, raw in values:
            yield f"{field.name} {name}", rest + raw
        yield f"{field.name} doubled, the odd value last", whole + values[0][1]
        yield f"{field.name} doubled, the odd value first", values[0][1] + whole
        for kind, payload in (
            (VARINT, b"\7"),
            (FIXED64, bytes(8)),
            (BYTES, b"\1x"),
            (FIXED32, bytes(4)),
            (3, b""),
        ):
            yield f"{field.name} as wire type {kind}", rest + _tagged(field.number, kind, payload)


def _raw(field: Any) -> Iterator[tuple[str, bytes]]:
    """Odd values of a field, each with its tag."""
    kind = _TYPES[field.type]
    if kind in _VARINTS:
        for number in INTEGERS:
            yield f"= {number}", _tagged(field.number, VARINT, _varint(number))
        yield "of eleven bytes", _tagged(field.number, VARINT, b"\xff" * 10 + b"\1")
    elif kind in _FIXED:
        for byte in (0x00, 0x7F, 0x80, 0xFF):
            wire = FIXED32 if _FIXED[kind] == 4 else FIXED64
            yield f"of bytes {byte:#x}", _tagged(field.number, wire, bytes([byte] * _FIXED[kind]))
    elif kind in {"FLOAT", "DOUBLE"}:
        for value in FLOATS:
            form, wire = ("<f", FIXED32) if kind == "FLOAT" else ("<d", FIXED64)
            yield f"= {value}", _tagged(field.number, wire, struct.pack(form, min(value, 3e38)))
    elif kind in {"STRING", "BYTES"}:
        for text in TEXTS:
            yield f"= {text[:20]!r}", _text(field.number, text)
        yield "a thousand times", _text(field.number, b"x") * 1000
        yield "longer than the message", _tagged(field.number, BYTES, _varint(2**31) + b"x")
    else:
        yield from _raw_messages(field)


def _raw_messages(field: Any) -> Iterator[tuple[str, bytes]]:
    yield "of nonsense", _text(field.number, b"\xff\xff")
    yield "empty", _text(field.number, b"")
    yield "a thousand times", _text(field.number, b"") * 1000
    if field.message_type.full_name == "google.protobuf.Timestamp":
        for seconds, nanos in product(SECONDS, NANOS):
            stamp = _tagged(1, VARINT, _varint(seconds)) + _tagged(2, VARINT, _varint(nanos))
            yield f"= {seconds} s {nanos} ns", _text(field.number, stamp)
        return
    for inner in field.message_type.fields:
        for name, raw in _raw(inner):
            yield f"with {inner.name} {name}", _text(field.number, raw)


def _text(number: int, data: bytes) -> bytes:
    return _tagged(number, BYTES, _varint(len(data)) + data)


def _tagged(number: int, wire: int, payload: bytes) -> bytes:
    return _varint(number << 3 | wire) + payload


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def count(values: Iterable[Any]) -> dict[str, int]:
    """The number of times that each value occurs, the most frequent first."""
    counts = dict[str, int]()
    for value in values:
        counts[str(value)] = counts.get(str(value), 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
