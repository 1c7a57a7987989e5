"""Hypothesis strategies for what a broken, newer or malicious server may send."""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from hypothesis import strategies as st

from facecli.wire.errors import STATUS
from tests.support.garbage.plausible import MESSAGES
from tests.support.garbage.server import Answer, AnswerTo

MIB = 1024 * 1024
EXTREMES = {
    FieldDescriptor.TYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_INT64: (0, 1, -1, 2**63 - 1, -(2**63), 2**31, 5 * 10**12),
    FieldDescriptor.TYPE_FIXED32: (0, 1, 2**32 - 1),
    FieldDescriptor.TYPE_BOOL: (False, True),
    FieldDescriptor.TYPE_BYTES: (b"", b"x", bytes(MIB)),
    FieldDescriptor.TYPE_STRING: (
        *("", "x", "paused", "completed", "failed", "pending", "completed\n", "PENDING"),
        *("\x1b]0;owned\x07\x1b[31mred\x1b[2J", "a\r\nforged  completed  /outputs/x/y.mp4", "\u202egpj.exe"),
        *(
            "\x9b31m",
            "\x00",
            "\u2028\u2029",
            "[bold]x[/bold]",
            "%s{}%n",
            "../../../etc/passwd",
            "/outputs/x/..",
        ),
        *("/outputs/x/.bashrc", "/outputs/x/", "//", "https://elsewhere/x", "e\u0301" * 999, "x" * MIB),
    ),
}


def extreme_field(message: Message, draw: st.DrawFn) -> None:
    """Set, clear or repeat one field of a message or of a message in it."""
    fields: list[Any] = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    field = draw(st.sampled_from(fields))
    name = field.name
    if field.is_repeated:
        _extreme_list(message, field, draw)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if draw(st.integers(0, 5)):
            inner = getattr(message, name)
            inner.SetInParent()
            extreme_field(inner, draw)
        else:
            message.ClearField(name)
    elif draw(st.integers(0, 5)):
        setattr(message, name, draw(st.sampled_from(EXTREMES[field.type])))
    else:
        message.ClearField(name)


def _extreme_list(message: Message, field: FieldDescriptor, draw: st.DrawFn) -> None:
    items: Any = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        texts = st.sampled_from(EXTREMES[FieldDescriptor.TYPE_STRING])
        items[draw(texts)] = draw(texts)
        return
    match draw(st.integers(0, 4)):
        case 0:
            message.ClearField(field.name)
        case 1 if items:
            items.extend(list(items) * draw(st.sampled_from([1, 2, 3000])))
        case 2 if field.type == FieldDescriptor.TYPE_MESSAGE:
            extreme_field(items.add(), draw)
        case _ if field.type == FieldDescriptor.TYPE_MESSAGE:
            if items:
                extreme_field(items[draw(st.integers(0, len(items) - 1))], draw)
        case _:
            items.append(draw(st.sampled_from(EXTREMES[field.type])))


@st.composite
def serialized(draw: st.DrawFn, plausible: Message) -> bytes:
    """A message with extreme, missing or doubled fields, or bytes that are no message."""
    changed = type(plausible)()
    changed.CopyFrom(plausible)
    for _ in range(draw(st.integers(0, 3))):
        extreme_field(changed, draw)
    data = changed.SerializeToString()
    match draw(st.integers(0, 9)):
        case 0:
            return data + plausible.SerializeToString()  # doubled fields
        case 1:
            return data[: draw(st.integers(0, len(data)))]
        case 2:
            return draw(st.binary(max_size=40))
        case 3:
            return data + b"\xfa\x7f\x03abc"  # a field of a newer version
        case _:
            return data


def statuses() -> st.SearchStrategy[dict[str, Any]]:
    """The end of a call: a code, a text and trailers, which need not fit together."""
    return st.fixed_dictionaries(
        {
            "code": st.sampled_from(list(grpc.StatusCode)),
            "text": st.sampled_from(["", "said so", "\x1b[31mred\nforged", "\u202e", "x" * 5000]),
            "trailers": st.one_of(st.just(()), _details().map(_in_trailers), _huge()),
        }
    )


def _in_trailers(details: bytes) -> tuple[tuple[str, bytes], ...]:
    return (("grpc-status-details-bin", details),)


def _huge() -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    return st.just((("x-huge", "y" * 60_000),))


@st.composite
def _details(draw: st.DrawFn) -> bytes:
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=30))
    numbers = ["1", "-1", "0", "315360000", "9" * 5000, "many", "\u0663"]
    metadata = {
        name: draw(st.sampled_from(numbers)) for name in ("retry_after", "next_chunk_index", "upload_id")
    }
    reason = draw(st.sampled_from([*(kind.reason for kind in STATUS), "NEW_REASON", "", "\x1b"]))
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(domain="facecli", reason=reason, metadata=metadata))
    request = any_pb2.Any(type_url=detail.type_url, value=draw(st.binary(max_size=9)))
    request_id = any_pb2.Any()
    request_id.Pack(error_details_pb2.RequestInfo(request_id="\x1b[31m"))
    chosen = draw(st.lists(st.sampled_from([detail, request, request_id]), max_size=3))
    code = draw(st.integers(0, 20))
    data: bytes = status_pb2.Status(code=code, message="said so", details=chosen).SerializeToString()
    return data


@st.composite
def answers(draw: st.DrawFn, method: str) -> AnswerTo:
    """One answer to a method."""
    plausible: Sequence[Message] = MESSAGES[method]
    messages = [draw(serialized(message)) for message in plausible]
    match draw(st.integers(0, 9)):
        case 0:
            messages = messages[: draw(st.integers(0, len(messages)))]  # it ends early
        case 1:
            messages = draw(st.permutations(messages))
        case 2:
            messages = messages * 2
    end = draw(st.one_of(st.just({}), st.just({}), statuses()))
    answer = Answer(
        messages=tuple(messages),
        endless=draw(st.integers(0, 9)) == 0,
        reads=method == "StreamUpload" and draw(st.booleans()),
        **end,
    )
    return lambda requests: answer
