"""Refusals of calls with very long values arrive whole, and quote at most a hundred characters of a value."""

import re
from itertools import product
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from facecli.core.printable import MAX_QUOTED
from facecli.wire.errors import MAX_MESSAGE_BYTES, from_rpc
from tests.support.rpc.rpcs import NOTHING, REQUESTS, answers
from tests.unit.rpc.conftest import Stubs

LENGTHS = (101, 20_000, 200_000)
TEXTS = ("x", "é", "🎬", "ab ")


def fill(message: Message, value: str) -> None:
    """Set every text field of a message and of its nested messages."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING and not field.is_repeated:
            setattr(message, field.name, value)
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            nested: Any = getattr(message, field.name)
            for inner in nested if field.is_repeated else [nested]:
                if message.DESCRIPTOR.name != "ListTasksRequest":
                    fill(inner, value)


@pytest.mark.parametrize("rpc", REQUESTS)
def test_a_call_with_long_values_gets_its_refusal(stubs: Stubs, rpc: str) -> None:
    for text, length in product(TEXTS, LENGTHS):
        requests = REQUESTS[rpc](NOTHING)
        for request in requests:
            fill(request, (text * length)[:length])
        try:
            answers(stubs.channel, rpc, requests, ())
        except grpc.RpcError as error:
            assert error.code() is not grpc.StatusCode.INTERNAL
            failure = from_rpc(error, server="here:1")
            assert failure.request_id, failure
            assert not re.search(rf"\S{{{MAX_QUOTED + 1}}}", failure.message)
            assert len(failure.message) <= MAX_MESSAGE_BYTES
