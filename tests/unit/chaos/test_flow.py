"""Delay, rate and what a line holds, to the byte and the millisecond on a clock of the test's own."""

import os
import socket
from collections.abc import Iterator

import pytest

from facecli.chaos.events import Direction, Record
from facecli.chaos.flow import AHEAD, BLOCK, CATCH_UP, FASTEST, KERNEL, LARGEST, QUEUE, STEP, Flow
from tests.support.sockets import DEADLINE, everything

TICK = 0.001  # seconds
DATA = os.urandom(4 << 20)


class Bench:
    """A flow between two socket pairs, whose far ends the test holds."""

    def __init__(self, *, delay: float = 0.0, rate: int | None = None) -> None:
        self.now = 1000.0
        self.sent = 0
        self.got = bytearray()
        self.sender, source = socket.socketpair()
        target, self.receiver = socket.socketpair()
        self.sockets = [self.sender, source, target, self.receiver]
        for each in self.sockets:
            each.setblocking(False)
        self.flow = Flow(
            Direction.SERVER,
            source,
            target,
            record=Record(lambda event: None),
            delay=delay,
            rate=rate,
            clock=lambda: self.now,
        )

    def offer(self) -> None:
        """As many of the next bytes as the flow takes now."""
        while self.flow.wants_more:
            self._fill()
            before = self.flow.waiting
            self.flow.receive()
            if self.flow.waiting == before:
                break

    def run(self, seconds: float, *, tick: float = TICK, reading: bool = True) -> list[int]:
        """Time goes on, with more on offer always; how many bytes had arrived after each tick."""
        arrived = []
        for _ in range(round(seconds / tick)):
            self.now += tick
            self.offer()
            self.flow.send()
            if reading:
                self.read()
            arrived.append(len(self.got))
        return arrived

    def read(self) -> None:
        try:
            while data := self.receiver.recv(BLOCK):
                self.got += data
                self.flow.send()
        except BlockingIOError:
            return

    def _fill(self) -> None:
        try:
            self.sent += self.sender.send(DATA[self.sent % len(DATA) :][:BLOCK])
        except BlockingIOError:
            return


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        for each in bench.sockets:
            each.close()


@pytest.mark.parametrize("delay", [0.02, 0.3])
def test_a_byte_leaves_when_its_delay_has_passed_and_not_before(benches: list[Bench], delay: float) -> None:
    benches.append(bench := Bench(delay=delay))
    for text in (b"first", b"second"):
        bench.sender.send(text)
        bench.flow.receive()
        bench.now += delay / 4
    bench.now += delay / 2 - TICK
    bench.flow.send()
    bench.read()
    assert bench.got == b""
    assert bench.flow.wake_at == pytest.approx(bench.now + TICK)
    bench.now += 2 * TICK
    bench.flow.send()
    bench.read()
    assert bench.got == b"first"
    bench.now += delay
    bench.flow.send()
    bench.read()
    assert bench.got == b"firstsecond"


@pytest.mark.parametrize("text", [b"", b"last"], ids=["alone", "behind-bytes"])
def test_an_end_is_delayed_like_the_bytes(benches: list[Bench], text: bytes) -> None:
    benches.append(bench := Bench(delay=0.1))
    bench.sender.send(text)
    bench.sender.close()
    bench.flow.receive()
    bench.flow.receive()
    bench.now += 0.05
    bench.flow.send()
    assert not bench.flow.done
    bench.now += 0.06
    bench.flow.send()
    assert bench.flow.done
    bench.receiver.settimeout(DEADLINE)
    assert everything(bench.receiver) == text


@pytest.mark.parametrize("delay", [0.0, 0.05])
@pytest.mark.parametrize("rate", [50_000, 1_000_000, 12_500_000])
@pytest.mark.parametrize("tick", [0.001, 0.0137, 0.02], ids=lambda tick: f"woken-every-{tick}s")
def test_a_rate_is_kept_within_two_percent_and_evenly(
    benches: list[Bench], rate: int, delay: float, tick: float
) -> None:
    benches.append(bench := Bench(rate=rate, delay=delay))
    seconds = 3.0
    arrived = bench.run(seconds, tick=tick)
    slack = rate * (tick + STEP) + 64
    for number, count in enumerate(arrived, start=1):
        assert count <= rate * number * tick + 1
        assert count >= rate * (number * tick - delay - 2 * tick) - slack
    assert bench.got == (DATA * (len(bench.got) // len(DATA) + 1))[: len(bench.got)]


@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_after_a_pause_of_its_reader_a_rate_is_not_made_up_for(benches: list[Bench], delay: float) -> None:
    rate = 1_000_000
    benches.append(bench := Bench(rate=rate, delay=delay))
    bench.run(1.0)
    bench.run(5.0, reading=False)
    before = bench.flow.passed
    bench.read()
    bench.run(1.0)
    assert bench.flow.passed - before <= rate * (1.0 + CATCH_UP) + 1


def test_after_an_idle_time_a_rate_is_not_made_up_for(benches: list[Bench]) -> None:
    rate = 1_000_000
    benches.append(bench := Bench(rate=rate))
    bench.sender.send(b"hello")
    bench.flow.receive()
    bench.now += 1
    bench.flow.send()
    bench.now += 60
    before = len(bench.got)
    bench.run(1.0)
    assert len(bench.got) - before <= rate * 1.0 + 5


@pytest.mark.parametrize(
    ("delay", "rate", "most"),
    [
        (0.0, None, BLOCK),
        (0.02, None, BLOCK + FASTEST // 50),
        (60.0, None, LARGEST),
        (0.03, 12_500_000, 12_500_000 * (0.03 + QUEUE)),
        (0.0, 12_500_000, 12_500_000 * QUEUE),
        (60.0, 10**10, LARGEST),
    ],
)
def test_a_line_holds_no_more_than_what_is_under_way_at_its_delay_and_rate(
    benches: list[Bench], delay: float, rate: int | None, most: float
) -> None:
    benches.append(bench := Bench(delay=delay, rate=rate))
    bench.offer()
    if not delay:
        bench.run(0.1, reading=False)
    assert most / 2 <= bench.flow.waiting <= most
    assert not bench.flow.wants_more


def test_a_rate_bounds_also_what_the_kernel_receives_ahead(benches: list[Bench]) -> None:
    for rate, most in ((50_000_000, 2 * 50_000_000 * AHEAD), (1000, 2 * KERNEL)):
        benches.append(bench := Bench(rate=rate))
        assert bench.sockets[1].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= most


def test_a_delay_alone_leaves_room_for_300_mb_a_second(benches: list[Bench]) -> None:
    benches.append(bench := Bench(delay=0.02))
    arrived = bench.run(0.06)
    assert arrived[-1] - arrived[29] >= 0.03 * 300_000_000
