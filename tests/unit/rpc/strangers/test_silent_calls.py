"""Calls that hang at every point before their message is complete leave room for regular users."""

import os
from collections import Counter
from contextlib import ExitStack, closing

import pytest

from facecli.rpc.server import MAX_HEALTH_WAITS, MAX_WAITS
from tests.support.eventually import eventually
from tests.support.rpc.http2 import HALF_MESSAGE, PREFACE, RawConnection, tcp
from tests.unit.rpc.strangers.conftest import CALLERS, METHODS, REFUSED, Target, check_serving

CALLS = 400  # more than the server has threads for waiting calls
CONNECTIONS = 2
UNAUTHENTICATED, DEADLINE_EXCEEDED = "16", "4"
BODIES = {"after the headers": b"", "in the length": b"\0\0", "in the message": HALF_MESSAGE}


def hang(connections: list[RawConnection], path: str, target: Target, body: bytes) -> None:
    for number in range(CALLS):
        connections[number % len(connections)].call(path, target.headers, body=body)


def ended_calls(connections: list[RawConnection], count: int) -> Counter[str]:
    """The statuses of the calls that have ended; none before `count` have."""
    for connection in connections:
        while connection.read():
            assert not connection.closed
    statuses = Counter(status for connection in connections for status in connection.statuses.values())
    return statuses if statuses.total() >= count else Counter()


# Every kind of call hangs everywhere, and every pair of kind, place and refused or served caller occurs (with
# MATRIX=all every combination); every other caller hangs with one kind of call.
CASES = [
    *(
        (kind, body, caller)
        for at, kind in enumerate(METHODS)
        for by, body in enumerate(BODIES)
        for number, caller in enumerate(("no token", "auth none"))
        if (at + by) % 2 == number or os.environ.get("MATRIX") == "all"
    ),
    *(
        ("unary", "after the headers", caller)
        for caller in CALLERS
        if caller not in ("no token", "auth none")
    ),
]


@pytest.mark.parametrize(("kind", "body", "caller"), CASES)
def test_calls_that_hang_leave_room_for_others(
    targets: dict[str, Target], kind: str, body: str, caller: str
) -> None:
    target = targets[caller]
    with ExitStack() as stack:
        connections = target.connections(CONNECTIONS)
        for connection in connections:
            stack.enter_context(closing(connection))
        hang(connections, METHODS[kind], target, BODIES[body])
        check_serving(target.user)
        ended, status = (
            (CALLS, UNAUTHENTICATED) if caller in REFUSED else (CALLS - MAX_WAITS, DEADLINE_EXCEEDED)
        )
        assert set(eventually(lambda: ended_calls(connections, ended))) == {status}
        check_serving(target.user)


@pytest.mark.parametrize("method", ["Check", "Watch"])
@pytest.mark.parametrize("body", BODIES)
def test_health_calls_that_hang_leave_room_for_others(
    targets: dict[str, Target], method: str, body: str
) -> None:
    target = targets["no token"]
    with ExitStack() as stack:
        connections = target.connections(CONNECTIONS)
        for connection in connections:
            stack.enter_context(closing(connection))
        hang(connections, f"/grpc.health.v1.Health/{method}", target, BODIES[body])
        check_serving(target.user)
        ended = CALLS - MAX_HEALTH_WAITS
        assert set(eventually(lambda: ended_calls(connections, ended))) == {DEADLINE_EXCEEDED}
        check_serving(target.user)


@pytest.mark.parametrize(
    "sent", [b"", PREFACE[:10], PREFACE[:24], PREFACE, PREFACE + b"\0\0\x20\1\4\0\0\0\1"], ids=len
)
@pytest.mark.parametrize("caller", ["no token", "auth none"])
def test_connections_that_hang_before_the_headers_leave_room_for_others(
    targets: dict[str, Target], caller: str, sent: bytes
) -> None:
    target = targets[caller]
    with ExitStack() as stack:
        for _ in range(CALLS):
            connection = stack.enter_context(tcp(target.address))
            connection.sendall(sent)
        check_serving(target.user)


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_health_calls_whose_answers_are_not_taken_leave_room_for_others(
    targets: dict[str, Target], method: str
) -> None:
    target = targets["no token"]
    with ExitStack() as stack:
        connections = target.connections(CONNECTIONS, window=0)
        for connection in connections:
            stack.enter_context(closing(connection))
            for _ in range(CALLS // CONNECTIONS):
                connection.call(f"/grpc.health.v1.Health/{method}", body=b"\0\0\0\0\0", end=True)
        check_serving(target.user)


def test_calls_whose_answers_are_not_taken_leave_room_for_others(targets: dict[str, Target]) -> None:
    target = targets["auth none"]
    with ExitStack() as stack:
        connections = target.connections(CONNECTIONS, window=0)
        for connection in connections:
            stack.enter_context(closing(connection))
            for _ in range(CALLS // CONNECTIONS):
                connection.call("/video.FileService/GetServerInfo", body=b"\0\0\0\0\0", end=True)
        check_serving(target.user)
