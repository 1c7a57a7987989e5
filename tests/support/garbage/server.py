"""A real gRPC server that answers every method with whatever a test wants."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

# Large messages, and keepalive pings as often as clients like: silence is for the client to notice.
OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1),
    ("grpc.http2.max_ping_strikes", 0),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The serialized messages of one call, and its end.

    `endless` repeats the last message; `hangs` ends only when the client does. The requests are read to their
    end first if `reads`.
    """

    messages: tuple[bytes, ...] = ()
    endless: bool = False
    hangs: bool = False
    reads: bool = False
    code: grpc.StatusCode = grpc.StatusCode.OK
    text: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()


AnswerTo = Callable[[list[bytes]], Answer]  # gets the requests, if they were read


def of(*messages: Message, **options: Any) -> AnswerTo:
    """The answer with these messages, to any request."""
    answer = Answer(messages=tuple(each.SerializeToString() for each in messages), **options)
    return lambda requests: answer


@dataclass(slots=True)
class GarbageServer:
    """`answers` are by method name and may change at any time; `calls` records the called methods."""

    address: str = ""
    answers: Mapping[str, AnswerTo] = field(default_factory=dict, repr=False)
    calls: list[str] = field(default_factory=list, repr=False)

    def count(self, method: str) -> int:
        return self.calls.count(method)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, server: GarbageServer) -> None:
        self._server = server

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        name = details.method.rpartition("/")[2]
        self._server.calls.append(name)
        answer = self._server.answers.get(name)
        if answer is None:
            return None
        return grpc.stream_stream_rpc_method_handler(lambda requests, call: _run(answer, requests, call))


def _run(answer_to: AnswerTo, requests: Iterator[bytes], call: grpc.ServicerContext) -> Iterator[bytes]:
    ended = threading.Event()
    call.add_callback(ended.set)
    answer = answer_to([])
    if answer.reads:
        answer = answer_to(list(requests))
    endless = repeat(answer.messages[-1]) if answer.endless and answer.messages else ()
    for message in chain(answer.messages, endless):
        if ended.is_set():
            return
        yield message
    if answer.hangs:
        ended.wait()
    call.set_code(answer.code)
    call.set_details(answer.text)
    call.set_trailing_metadata(answer.trailers)


@contextmanager
def garbage_server(
    answers: Mapping[str, AnswerTo] | None = None,
    *,
    address: str = "127.0.0.1:0",
    health: HealthServicer | None = None,
    credentials: grpc.ServerCredentials | None = None,
) -> Iterator[GarbageServer]:
    """A running server; without `health` it has no health service."""
    running = GarbageServer(answers=answers or {})
    with ThreadPoolExecutor(40) as pool:
        server = grpc.server(pool, handlers=[_Handler(running)], options=OPTIONS)
        if health:
            add_HealthServicer_to_server(health, server)
        if credentials:
            port = server.add_secure_port(address, credentials)
        else:
            port = server.add_insecure_port(address)
        running.address = f"{address.rpartition(':')[0]}:{port}"
        server.start()
        try:
            yield running
        finally:
            server.stop(0).wait()
