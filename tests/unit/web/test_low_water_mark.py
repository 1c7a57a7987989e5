"""The receive low-water mark on real sockets, with a clock that the test sets."""

import asyncio
import fcntl
import select
import socket
import struct
import termios
from collections.abc import Iterator

import pytest

from facecli.web.low_water_mark import BATCH, MAX_RECORD, WAIT_SECONDS, LowWaterMark
from tests.support.eventually import eventually

LARGE = 100 * BATCH
PIECE = bytes(BATCH // 8)


class Loop(asyncio.SelectorEventLoop):
    now = 1000.0

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let this time pass, and run the timers that end in it."""
        self.now += seconds
        for _ in range(2):
            self.run_until_complete(asyncio.sleep(0))


class Reader:
    """A connection with a mark; `send` returns once its bytes are there."""

    def __init__(self, loop: Loop) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.create_connection(listener.getsockname())
            self.socket, _ = listener.accept()
        self.loop = loop
        self.mark = LowWaterMark(self.socket, loop)
        self.unread = 0

    def send(self, data: bytes) -> None:
        self.client.sendall(data)
        self.unread += len(data)
        eventually(lambda: self.arrived() == self.unread)

    def arrived(self) -> int:
        return int(struct.unpack("i", fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)))[0])

    @property
    def woken(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def read(self) -> None:
        self.mark.received(len(self.socket.recv(self.unread)))
        self.unread = 0


@pytest.fixture
def reader() -> Iterator[Reader]:
    loop = Loop()
    opened = Reader(loop)
    yield opened
    opened.mark.lower()
    opened.client.close()
    opened.socket.close()
    loop.close()


def test_a_fast_body_wakes_its_reader_once_a_batch(reader: Reader) -> None:
    reader.mark.expect(LARGE)
    for _ in range(3):
        for _ in range(7):
            reader.send(PIECE)
            assert not reader.woken
        reader.send(PIECE)
        assert reader.woken
        reader.read()
        reader.loop.wait(WAIT_SECONDS)


def test_the_bytes_of_a_body_that_stops_wait_for_a_moment_only(reader: Reader) -> None:
    reader.mark.expect(LARGE)
    reader.send(PIECE)
    reader.loop.wait(WAIT_SECONDS / 2)
    assert not reader.woken
    reader.loop.wait(WAIT_SECONDS / 2)
    assert reader.woken


def test_a_slow_body_wakes_its_reader_for_every_byte_until_it_is_fast_again(reader: Reader) -> None:
    reader.mark.expect(LARGE)
    reader.loop.wait(WAIT_SECONDS)
    for _ in range(20):
        reader.send(PIECE)
        assert reader.woken
        reader.read()
        reader.loop.wait(WAIT_SECONDS)
    for _ in range(8):
        reader.send(PIECE)
        reader.read()
    reader.send(PIECE)
    assert not reader.woken


def test_the_end_of_a_connection_wakes_the_reader(reader: Reader) -> None:
    reader.mark.expect(LARGE)
    reader.send(PIECE)
    assert not reader.woken
    reader.client.shutdown(socket.SHUT_WR)
    eventually(lambda: reader.woken)


@pytest.mark.parametrize("length", [0, BATCH + MAX_RECORD - 1, LARGE], ids=["unknown", "small", "large"])
def test_the_last_bytes_of_a_body_wake_the_reader(reader: Reader, length: int) -> None:
    reader.mark.expect(length)
    if length == LARGE:
        reader.mark.received(LARGE - BATCH - MAX_RECORD + 1)
    reader.send(b"x")
    assert reader.woken


def test_the_next_request_wakes_the_reader(reader: Reader) -> None:
    reader.mark.expect(LARGE)
    reader.mark.received(LARGE)
    reader.send(b"GET")
    assert reader.woken
