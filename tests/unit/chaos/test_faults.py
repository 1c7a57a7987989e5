"""Planned faults: their offsets, their effects, and that a seed reproduces them."""

import os
import socket
from contextlib import suppress
from itertools import pairwise

import pytest

from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults, Flap, Span
from facecli.chaos.proxy import Proxy
from tests.support.sockets import DEADLINE, Ends, everything, exactly, push, silent

SPAN = Span(low=1000, high=900_000)
DATA = os.urandom(1_000_000)


def received(ends: Ends, faults: Faults, *, connections: int = 3) -> list[bytes]:
    """The part of DATA that the server received on each of some connections in sequence."""
    with Proxy(ends.address, faults=faults) as proxy:
        return [one_way(ends, proxy, DATA) for _ in range(connections)]


def one_way(ends: Ends, proxy: Proxy, data: bytes) -> bytes:
    """Send, close, and return the bytes that arrived."""
    client, server = ends.join(proxy.address)
    push(client, data)
    client.close()
    arrived = everything(server)
    server.close()
    return arrived


def test_every_connection_is_cut_at_the_offset_that_the_seed_draws(ends: Ends) -> None:
    first = received(ends, Faults(cut=SPAN, seed=1))
    sizes = [len(data) for data in first]
    assert all(DATA.startswith(data) for data in first)
    assert all(SPAN.low <= size <= SPAN.high for size in sizes)
    assert len(set(sizes)) == 3
    assert [len(data) for data in received(ends, Faults(cut=SPAN, seed=1))] == sizes
    assert [len(data) for data in received(ends, Faults(cut=SPAN, seed=2))] != sizes


@pytest.mark.parametrize("size", [1, 65_536, 262_144, 262_145])
def test_a_cut_comes_at_exactly_its_offset_and_ends_both_sides(ends: Ends, size: int) -> None:
    with Proxy(ends.address, faults=Faults(cut=Span(low=size, high=size))) as proxy:
        client, server = ends.join(proxy.address)
        client.sendall(DATA[:size])
        assert exactly(server, size) == DATA[:size]
        assert (server.recv(1), client.recv(1)) == (b"", b"")
        server.close()
        (cut,) = proxy.events_of(EventKind.CUT)
    assert (cut.connection, cut.to_server, cut.total_to_server) == (1, size, size)


@pytest.mark.slow
def test_a_slow_server_gets_every_byte_before_a_cut_even_while_it_answers(
    ends: Ends,
) -> None:
    ends.receive_little()
    with Proxy(ends.address, faults=Faults(cut=Span(low=500_000, high=500_000))) as proxy:
        client, server = ends.join(proxy.address)
        server.sendall(bytes(300_000))
        push(client, DATA)
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.CUT)), DEADLINE)
        assert everything(server) == DATA[:500_000]


def test_the_number_of_cuts_is_limited(ends: Ends) -> None:
    faults = Faults(cut=Span(low=1000, high=1000), cuts=2)
    sizes = [len(data) for data in received(ends, faults, connections=4)]
    assert sizes == [1000, 1000, len(DATA), len(DATA)]


def test_a_cut_may_be_a_reset_on_both_sides(ends: Ends) -> None:
    with Proxy(ends.address, faults=Faults(cut=Span(low=9, high=9), reset=True)) as proxy:
        client, server = ends.join(proxy.address)
        client.sendall(DATA[:9])
        assert exactly(server, 9) == DATA[:9]
        for end in (client, server):
            with pytest.raises(ConnectionResetError):
                end.recv(1)


def test_single_bits_flip_at_the_offsets_of_the_seed_and_the_events(ends: Ends) -> None:
    faults = Faults(flip=SPAN, seed=3)
    with Proxy(ends.address, faults=faults) as proxy:
        arrived = one_way(ends, proxy, DATA)
        offsets = [event.to_server for event in proxy.events_of(EventKind.FLIP)]
    assert len(arrived) == len(DATA)
    wrong = [
        (at, one ^ other) for at, (one, other) in enumerate(zip(DATA, arrived, strict=True)) if one != other
    ]
    assert [at for at, _ in wrong] == offsets != []
    assert all(bits.bit_count() == 1 for _, bits in wrong)
    assert all(SPAN.low <= later - earlier <= SPAN.high for earlier, later in pairwise([-1, *offsets]))
    assert received(ends, faults, connections=1) == [arrived]


def test_flips_continue_for_the_whole_connection(ends: Ends) -> None:
    (arrived,) = received(ends, Faults(flip=Span(low=5000, high=5000)), connections=1)
    wrong = [at for at, (one, other) in enumerate(zip(DATA, arrived, strict=True)) if one != other]
    assert wrong == list(range(4999, len(DATA), 5000))


def test_a_blackhole_starts_at_exactly_its_offset_and_stops_both_directions(ends: Ends) -> None:
    with Proxy(ends.address, faults=Faults(blackhole=SPAN, seed=4)) as proxy:
        client, server = ends.join(proxy.address)
        client.settimeout(0)
        with pytest.raises(BlockingIOError):
            while True:
                client.send(DATA)
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.BLACKHOLE)), DEADLINE)
        size = proxy.events_of(EventKind.BLACKHOLE)[0].to_server
        assert SPAN.low <= size <= SPAN.high
        assert exactly(server, size) == DATA[:size]
        server.sendall(b"hello?")
        other, end = ends.join(proxy.address)
        other.sendall(b"!")
        assert exactly(end, 1) == b"!"
        assert silent(server)
        assert silent(client)
    assert size == Faults(blackhole=SPAN, seed=4).plan(1).blackhole_at


@pytest.mark.slow
def test_a_flapping_proxy_cuts_when_it_goes_down_and_works_when_it_is_up_again(ends: Ends) -> None:
    with Proxy(ends.address, faults=Faults(flap=Flap(up=0.5, down=0.1))) as proxy:
        for _ in range(2):
            client, server = joined_when_up(ends, proxy)
            assert (everything(client), everything(server)) == (b"", b"")
            server.close()
        assert proxy.wait_for(lambda: len(proxy.events_of(EventKind.UP)) >= 2, DEADLINE)
    changes = [event for event in proxy.events if event.event in {EventKind.DOWN, EventKind.UP}]
    assert [event.event for event in changes[:4]] == [
        EventKind.DOWN,
        EventKind.UP,
        EventKind.DOWN,
        EventKind.UP,
    ]
    assert all(event.seconds >= due for event, due in zip(changes, (0.5, 0.6, 1.1, 1.2), strict=False))


def test_a_proxy_that_is_down_refuses_connections_and_keeps_its_port(ends: Ends) -> None:
    with Proxy(ends.address, faults=Faults(flap=Flap(up=0.01, down=3600))) as proxy:
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.DOWN)), DEADLINE)
        with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
            while True:  # a connection may have been accepted just before
                ends.connect(proxy.address).recv(1)
        host, _, port = proxy.address.rpartition(":")
        with socket.socket() as rival, pytest.raises(OSError, match="in use"):
            rival.bind((host, int(port)))


def test_all_faults_combine(ends: Ends) -> None:
    faults = Faults(
        delay=0.01,
        rate=50_000_000,
        flip=Span(low=400_000, high=400_000),
        cut=Span(low=700_000, high=700_000),
        cuts=1,
    )
    cut, whole = received(ends, faults, connections=2)
    assert (len(cut), len(whole)) == (700_000, len(DATA))
    assert [at for at in range(len(whole)) if whole[at] != DATA[at]] == [399_999, 799_999]
    assert cut == whole[:700_000]


def test_events_tell_how_many_bytes_passed_after_a_cut(ends: Ends) -> None:
    with Proxy(ends.address, faults=Faults(cut=Span(low=1000, high=1000), cuts=1)) as proxy:
        one_way(ends, proxy, DATA)
        one_way(ends, proxy, DATA[:5000])
        (cut,) = proxy.events_of(EventKind.CUT)
    assert proxy.passed(Direction.SERVER) - cut.total_to_server == 5000


def joined_when_up(ends: Ends, proxy: Proxy) -> tuple[socket.socket, socket.socket]:
    """A new connection through a flapping proxy, once it is up."""
    while True:
        ups = len(proxy.events_of(EventKind.UP))
        with suppress(ConnectionError):
            client, server = ends.join(proxy.address)
            client.sendall(b"?")
            if server.recv(1) == b"?":
                return client, server
        assert proxy.wait_for(lambda now=ups: len(proxy.events_of(EventKind.UP)) > now, DEADLINE)  # type: ignore[misc]
