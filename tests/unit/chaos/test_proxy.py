"""The proxy without planned faults, and commands to its open connections."""

import os
import socket
from contextlib import suppress
from itertools import pairwise

import pytest

from facecli.chaos.events import Direction, Event, EventKind
from facecli.chaos.proxy import Proxy
from facecli.core.errors import InvalidInput
from tests.support.sockets import DEADLINE, Ends, everything, exactly, push, silent

MIB = 1024 * 1024


def test_bytes_pass_both_ways_unchanged_and_are_counted_per_connection_and_in_total(ends: Ends) -> None:
    upward, downward = os.urandom(3 * MIB), os.urandom(MIB)
    with Proxy(ends.address) as proxy:
        for number in (1, 2):
            client, server = ends.join(proxy.address)
            client.sendall(upward)
            assert exactly(server, len(upward)) == upward
            server.sendall(downward)
            assert exactly(client, len(downward)) == downward
            client.close()
            server.close()
            assert proxy.wait_for(lambda n=number: len(proxy.events_of(EventKind.CLOSED)) == n, DEADLINE)  # type: ignore[misc]
        first, second = proxy.events_of(EventKind.CLOSED)
        assert (proxy.passed(Direction.SERVER), proxy.passed(Direction.CLIENT)) == (6 * MIB, 2 * MIB)
    assert [event.event for event in proxy.events] == ["opened", "closed", "opened", "closed"]
    for number, closed in enumerate((first, second), start=1):
        assert (closed.connection, closed.to_server, closed.to_client) == (number, 3 * MIB, MIB)
        assert (closed.total_to_server, closed.total_to_client) == (number * 3 * MIB, number * MIB)
    assert all(one.seconds <= other.seconds for one, other in pairwise(proxy.events))


def test_on_event_is_called_with_every_event_in_order(ends: Ends) -> None:
    events: list[Event] = []
    with Proxy(ends.address, on_event=events.append) as proxy:
        client, _ = ends.join(proxy.address)
        client.close()
    assert events == proxy.events != []


def test_an_end_is_passed_after_its_bytes_and_leaves_the_other_direction_open(ends: Ends) -> None:
    with Proxy(ends.address) as proxy:
        client, server = ends.join(proxy.address)
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == b"question"
        server.sendall(b"answer")
        server.close()
        assert everything(client) == b"answer"


def test_a_reset_is_passed_as_a_reset(ends: Ends) -> None:
    with Proxy(ends.address) as proxy:
        client, server = ends.join(proxy.address)
        client.sendall(b"half")
        assert exactly(server, 4) == b"half"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        with pytest.raises(ConnectionResetError):
            server.recv(1)


def test_held_bytes_of_all_connections_pass_only_when_released(
    ends: Ends,
) -> None:
    with Proxy(ends.address) as proxy:
        proxy.hold(Direction.SERVER, after=10)
        (one, first), (two, second) = ends.join(proxy.address), ends.join(proxy.address)
        one.sendall(b"1234567")
        assert exactly(first, 7) == b"1234567"
        two.sendall(b"abcdefg")
        assert exactly(second, 3) == b"abc"
        second.sendall(b"not held")
        assert exactly(two, 8) == b"not held"
        assert silent(second)
        assert proxy.wait_for(lambda: proxy.passed(Direction.SERVER) == 10, DEADLINE)
        proxy.release(Direction.SERVER)
        assert exactly(second, 4) == b"defg"


def test_bytes_held_to_the_client_do_not_stop_bytes_to_the_server(ends: Ends) -> None:
    with Proxy(ends.address) as proxy:
        client, server = ends.join(proxy.address)
        proxy.hold(Direction.CLIENT)
        server.sendall(b"acknowledged")
        client.sendall(b"more")
        assert exactly(server, 4) == b"more"
        assert silent(client)
        proxy.release(Direction.CLIENT)
        assert exactly(client, 12) == b"acknowledged"


@pytest.mark.parametrize("leaver", ["client", "server"])
def test_both_sides_end_when_one_ends_while_bytes_are_held_and_these_are_lost(
    ends: Ends, leaver: str
) -> None:
    with Proxy(ends.address) as proxy:
        proxy.hold(Direction.SERVER, after=4)
        client, server = ends.join(proxy.address)
        client.sendall(b"head" + bytes(1000))
        assert exactly(server, 4) == b"head"
        (client if leaver == "client" else server).close()
        assert everything(server if leaver == "client" else client) == b""
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.CLOSED)), DEADLINE)
        proxy.release(Direction.SERVER)
    assert proxy.passed(Direction.SERVER) == 4


@pytest.mark.parametrize("reset", [False, True], ids=["plain", "reset"])
def test_a_cut_ends_every_open_connection_on_both_sides_and_a_new_one_works(ends: Ends, reset: bool) -> None:
    with Proxy(ends.address) as proxy:
        open_now = [end for _ in range(3) for end in ends.join(proxy.address)]
        assert proxy.wait_for(lambda: len(proxy.events_of(EventKind.OPENED)) == 3, DEADLINE)
        proxy.cut(reset=reset)
        for end in open_now:
            if reset:
                with pytest.raises(ConnectionResetError):
                    end.recv(1)
            else:
                assert end.recv(1) == b""
                end.close()
        client, server = ends.join(proxy.address)
        client.sendall(b"again")
        assert exactly(server, 5) == b"again"
        assert {event.connection for event in proxy.events_of(EventKind.CUT)} == {1, 2, 3}


def test_a_blackhole_passes_no_byte_and_no_end_and_a_new_connection_works(ends: Ends) -> None:
    with Proxy(ends.address) as proxy:
        lost, stranded = ends.join(proxy.address)
        lost.sendall(b"before")
        assert exactly(stranded, 6) == b"before"
        proxy.blackhole()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.BLACKHOLE)), DEADLINE)
        lost.sendall(b"after")
        stranded.sendall(b"after")
        lost.close()
        client, server = ends.join(proxy.address)
        client.sendall(b"again")
        assert exactly(server, 5) == b"again"
        assert silent(stranded)
        stranded.close()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.CLOSED)), DEADLINE)
    assert proxy.events_of(EventKind.CLOSED)[0].to_server == 6


def test_on_exit_every_connection_ends_in_any_state(ends: Ends) -> None:
    with Proxy(ends.address) as proxy:
        dark = ends.join(proxy.address)
        dark[0].sendall(b"1")
        assert exactly(dark[1], 1) == b"1"
        proxy.blackhole()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.BLACKHOLE)), DEADLINE)
        proxy.hold(Direction.SERVER)
        held, stuck, quiet = (ends.join(proxy.address) for _ in range(3))
        held[0].sendall(b"never")
        stuck[1].setblocking(False)
        while socket_takes(stuck[1]):
            pass
        stuck[1].settimeout(DEADLINE)
    for client, server in (dark, held, quiet):
        assert (everything(client), everything(server)) == (b"", b"")
    assert set(everything(stuck[0])) <= {0}
    with pytest.raises(ConnectionRefusedError):
        ends.connect(proxy.address)


def test_a_client_is_reset_when_the_server_is_unreachable(ends: Ends) -> None:
    ends.close()
    with Proxy(ends.address) as proxy:
        with suppress(ConnectionResetError):  # the reset may come before connect returns
            client = ends.connect(proxy.address)
            push(client, b"anybody?")
            assert everything(client) == b""
        assert proxy.wait_for(lambda: bool(proxy.events), DEADLINE)
    assert [event.event for event in proxy.events] == [EventKind.UNREACHABLE]


@pytest.mark.parametrize("bind", ["127.0.0.1", "here:0", "192.0.2.1:0", "127.0.0.1:70000"])
def test_an_address_it_cannot_listen_on_is_refused_by_name(bind: str) -> None:
    with pytest.raises(InvalidInput, match=bind):
        Proxy("127.0.0.1:1", bind=bind)


def socket_takes(end: socket.socket) -> bool:
    try:
        end.send(bytes(MIB))
    except BlockingIOError:
        return False
    return True
