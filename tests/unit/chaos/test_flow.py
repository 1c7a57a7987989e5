"""Delay, rate and buffering of a flow, to the byte and the millisecond, on a fake clock."""

import os
import socket
from collections.abc import Iterator

import pytest

from facecli.chaos.events import Direction
from facecli.chaos.faults import Faults
from facecli.chaos.flow import (
    BURST_SECONDS,
    CATCH_UP_SECONDS,
    KERNEL_SECONDS,
    MAX_DELAYED_RATE,
    MAX_RING_SIZE,
    MIN_KERNEL_BUFFER,
    RECEIVE_SIZE,
    RING_SECONDS,
    Flow,
)
from facecli.chaos.traffic_log import TrafficLog
from tests.support.sockets import DEADLINE, everything

TICK = 0.001  # seconds
DATA = os.urandom(4 << 20)


class FlowRig:
    """A flow between two socket pairs, whose outer ends the test holds."""

    def __init__(self, *, delay: float = 0.0, rate: int | None = None) -> None:
        self.now = 1000.0
        self.sent = 0
        self.arrived = bytearray()
        self.sender, source = socket.socketpair()
        target, self.receiver = socket.socketpair()
        self.sockets = [self.sender, source, target, self.receiver]
        for each in self.sockets:
            each.setblocking(False)
        self.flow = Flow(
            Direction.SERVER,
            source,
            target,
            log=TrafficLog(lambda event: None),
            faults=Faults(delay=delay, rate=rate),
            clock=lambda: self.now,
        )

    def offer(self) -> None:
        """Send as many of the next bytes as the flow accepts now."""
        while self.flow.wants_more:
            self._fill()
            before = self.flow.waiting
            self.flow.receive()
            if self.flow.waiting == before:
                break

    def run(self, seconds: float, *, tick: float = TICK, reading: bool = True) -> list[int]:
        """Advance the clock while sending without pause; returns the bytes received up to each tick."""
        arrived = []
        for _ in range(round(seconds / tick)):
            self.now += tick
            self.offer()
            self.flow.send()
            if reading:
                self.read()
            arrived.append(len(self.arrived))
        return arrived

    def read(self) -> None:
        try:
            while data := self.receiver.recv(RECEIVE_SIZE):
                self.arrived += data
                self.flow.send()
        except BlockingIOError:
            return

    def _fill(self) -> None:
        try:
            self.sent += self.sender.send(DATA[self.sent % len(DATA) :][:RECEIVE_SIZE])
        except BlockingIOError:
            return


@pytest.fixture
def rigs() -> Iterator[list[FlowRig]]:
    rigs: list[FlowRig] = []
    yield rigs
    for rig in rigs:
        for each in rig.sockets:
            each.close()


@pytest.mark.parametrize("delay", [0.02, 0.3])
def test_a_byte_is_sent_when_its_delay_has_passed_and_not_before(rigs: list[FlowRig], delay: float) -> None:
    rigs.append(rig := FlowRig(delay=delay))
    for text in (b"first", b"second"):
        rig.sender.send(text)
        rig.flow.receive()
        rig.now += delay / 4
    rig.now += delay / 2 - TICK
    rig.flow.send()
    rig.read()
    assert rig.arrived == b""
    assert rig.flow.wake_at == pytest.approx(rig.now + TICK)
    rig.now += 2 * TICK
    rig.flow.send()
    rig.read()
    assert rig.arrived == b"first"
    rig.now += delay
    rig.flow.send()
    rig.read()
    assert rig.arrived == b"firstsecond"


@pytest.mark.parametrize("text", [b"", b"last"], ids=["alone", "behind-bytes"])
def test_an_end_is_delayed_like_bytes(rigs: list[FlowRig], text: bytes) -> None:
    rigs.append(rig := FlowRig(delay=0.1))
    rig.sender.send(text)
    rig.sender.close()
    rig.flow.receive()
    rig.flow.receive()
    rig.now += 0.05
    rig.flow.send()
    assert not rig.flow.done
    rig.now += 0.06
    rig.flow.send()
    assert rig.flow.done
    rig.receiver.settimeout(DEADLINE)
    assert everything(rig.receiver) == text


@pytest.mark.parametrize("delay", [0.0, 0.05])
@pytest.mark.parametrize("rate", [50_000, 1_000_000, 12_500_000])
@pytest.mark.parametrize("tick", [0.001, 0.0137, 0.02], ids=lambda tick: f"woken-every-{tick}s")
def test_a_rate_is_kept_evenly_and_within_two_percent(
    rigs: list[FlowRig], rate: int, delay: float, tick: float
) -> None:
    rigs.append(rig := FlowRig(rate=rate, delay=delay))
    seconds = 3.0
    arrived = rig.run(seconds, tick=tick)
    slack = rate * (tick + BURST_SECONDS) + 64
    for number, count in enumerate(arrived, start=1):
        assert count <= rate * number * tick + 1
        assert count >= rate * (number * tick - delay - 2 * tick) - slack
    assert rig.arrived == (DATA * (len(rig.arrived) // len(DATA) + 1))[: len(rig.arrived)]


@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_a_paused_reader_causes_no_burst_afterwards(rigs: list[FlowRig], delay: float) -> None:
    rate = 1_000_000
    rigs.append(rig := FlowRig(rate=rate, delay=delay))
    rig.run(1.0)
    rig.run(5.0, reading=False)
    before = rig.flow.passed
    rig.read()
    rig.run(1.0)
    assert rig.flow.passed - before <= rate * (1.0 + CATCH_UP_SECONDS) + 1


def test_an_idle_time_causes_no_burst_afterwards(rigs: list[FlowRig]) -> None:
    rate = 1_000_000
    rigs.append(rig := FlowRig(rate=rate))
    rig.sender.send(b"hello")
    rig.flow.receive()
    rig.now += 1
    rig.flow.send()
    rig.now += 60
    before = len(rig.arrived)
    rig.run(1.0)
    assert len(rig.arrived) - before <= rate * 1.0 + 5


@pytest.mark.parametrize(
    ("delay", "rate", "limit"),
    [
        (0.0, None, RECEIVE_SIZE),
        (0.02, None, RECEIVE_SIZE + MAX_DELAYED_RATE // 50),
        (60.0, None, MAX_RING_SIZE),
        (0.03, 12_500_000, 12_500_000 * (0.03 + RING_SECONDS)),
        (0.0, 12_500_000, 12_500_000 * RING_SECONDS),
        (60.0, 10**10, MAX_RING_SIZE),
    ],
)
def test_the_ring_holds_no_more_than_delay_and_rate_require(
    rigs: list[FlowRig], delay: float, rate: int | None, limit: float
) -> None:
    rigs.append(rig := FlowRig(delay=delay, rate=rate))
    rig.offer()
    if not delay:
        rig.run(0.1, reading=False)
    assert limit / 2 <= rig.flow.waiting <= limit
    assert not rig.flow.wants_more


def test_a_rate_also_bounds_the_receive_buffer_of_the_kernel(rigs: list[FlowRig]) -> None:
    for rate, limit in ((50_000_000, 2 * 50_000_000 * KERNEL_SECONDS), (1000, 2 * MIN_KERNEL_BUFFER)):
        rigs.append(rig := FlowRig(rate=rate))
        assert rig.sockets[1].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= limit


def test_a_delay_alone_leaves_room_for_300_mb_per_second(rigs: list[FlowRig]) -> None:
    rigs.append(rig := FlowRig(delay=0.02))
    arrived = rig.run(0.06)
    assert arrived[-1] - arrived[29] >= 0.03 * 300_000_000
