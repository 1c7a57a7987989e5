"""The error table is total, and an error survives a real connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facecli.core import errors
from facecli.core.errors import FacecliError
from facecli.wire.errors import STATUS, from_rpc, restored, to_status
from facecli.wire.foreign_errors import foreign_error

Handler = Callable[[bytes, grpc.ServicerContext], bytes]


def kinds(top: type[FacecliError] = FacecliError) -> list[type[FacecliError]]:
    return [top, *(kind for child in top.__subclasses__() for kind in kinds(child))]


@contextmanager
def refusal(handler: Handler) -> Iterator[grpc.RpcError]:
    """The error that a client gets from a server with this one method."""
    methods: Any = {"M": grpc.unary_unary_rpc_method_handler(handler)}
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=[grpc.method_handlers_generic_handler("S", methods)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.RpcError) as caught:
                call: Any = channel.unary_unary("/S/M")
                call(b"")
            yield caught.value
        server.stop(0).wait()


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind.__module__.startswith("facecli.core.")])
def test_every_error_has_a_status_and_comes_back_as_itself(kind: type[FacecliError]) -> None:
    assert kind in STATUS
    wanted = {} if kind is FacecliError else kind.__annotations__
    details: dict[str, int | str] = {name: 7 if type_ is int else "x" for name, type_ in wanted.items()}

    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort_with_status(to_status(kind("a sentence", **details)))
        return b""

    with refusal(handler) as answer:
        back = from_rpc(answer, server="here:1")
    assert (type(back), back.message, back.details) == (kind, "a sentence", details)


def test_an_error_of_a_plug_in_arrives_as_its_nearest_known_ancestor() -> None:
    class NoFaceFound(errors.MediaRefused):
        """There is no face in the picture."""

        reason = "NO_FACE"

    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort_with_status(to_status(NoFaceFound()))
        return b""

    with refusal(handler) as answer:
        back = from_rpc(answer, server="here:1")
    assert answer.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (type(back), back.message) == (errors.MediaRefused, "There is no face in the picture.")


def test_a_retryable_error_carries_its_retry_delay() -> None:
    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort_with_status(to_status(errors.DiskFull("full", retry_after=3)))
        return b""

    with refusal(handler) as answer:
        status = rpc_status.from_call(cast(grpc.Call, answer))
    assert status
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (info.domain, info.reason, retry.retry_delay.seconds) == ("facecli", "DISK_FULL", 3)


def test_a_server_cannot_set_attributes_that_a_class_does_not_declare() -> None:
    sent = {"next_chunk_index": "many", "hint": "do this", "message": "other", "reason": "OK"}
    back = restored(errors.OutOfOrder, "ahead", sent)
    assert (back.message, back.details, back.hint, back.reason) == ("ahead", {}, "", "OUT_OF_ORDER")


@pytest.mark.parametrize(
    ("asked", "seconds"), [("30", 30), ("315360000", 3600), ("9" * 5000, None), ("-1", None), ("soon", None)]
)
def test_a_delay_that_a_server_asks_for_is_a_number_of_at_most_an_hour(
    asked: str, seconds: int | None
) -> None:
    back = restored(errors.DiskFull, "full", {"retry_after": asked})
    assert back.details.get("retry_after") == seconds


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_an_error_of_a_foreign_server_becomes_the_nearest_of_ours(code: grpc.StatusCode) -> None:
    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, "said so")
        return b""

    with refusal(handler) as answer:
        back = from_rpc(answer, server="here:1")
    assert "said so" in back.message
    nearest = {
        grpc.StatusCode.NOT_FOUND: errors.NotFound,
        grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
        grpc.StatusCode.INTERNAL: errors.Unavailable,
        grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    }
    assert isinstance(back, nearest.get(code, FacecliError))


BY_PROXY = "Received http2 header with status:"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Stream removed (Data frame with END_STREAM flag received)", "or passes no trailers on"),
        ("Stream removed (RST_STREAM)", "broke: Stream removed (RST_STREAM)"),
        (f"{BY_PROXY} 408", "a proxy or a web server answered with the HTTP status 408"),
        (f"{BY_PROXY} 502", "HTTP status 502; it does not reach the server behind it"),
        (f"{BY_PROXY} 599", "HTTP status 599"),
    ],
)
def test_a_stream_that_a_proxy_ended_without_a_status_is_a_break(text: str, meaning: str) -> None:
    error = foreign_error(grpc.StatusCode.UNKNOWN, text, server="here:1")
    assert isinstance(error, errors.Unavailable) and error.retryable
    assert error.message.startswith("the connection to here:1 broke: ")
    assert meaning in error.message
    assert ("facecli doctor" in error.hint) is ("behind it" in meaning)


def test_a_refusal_of_a_proxy_is_none_of_the_server() -> None:
    for code, number, words in (
        (grpc.StatusCode.UNKNOWN, 413, "the HTTP status 413"),
        (grpc.StatusCode.UNKNOWN, 415, "a port that serves only HTTP"),
        (grpc.StatusCode.UNIMPLEMENTED, 404, "it passes no gRPC on"),
    ):
        refused = foreign_error(code, f"{BY_PROXY} {number}", server="here:1")
        assert isinstance(refused, errors.UnexpectedResponse)
        assert words in refused.message
        assert "facecli generate haproxy" in refused.hint


class LookupFailed(grpc.RpcError):
    """gRPC's error for a host name that does not exist."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return (
            "DNS resolution failed for nowhere:1: UNAVAILABLE: errors resolving: [A: Domain name not found]"
        )


def test_the_cause_of_a_failed_lookup_has_no_bracket() -> None:
    error = from_rpc(LookupFailed(), server="nowhere:1")
    assert error.message == "the server nowhere:1 cannot be reached: no host has this name"
