"""One direction of a connection: a delay, a rate limit, and backpressure from a bounded ring buffer."""

import mmap
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

from facecli.chaos.events import Direction
from facecli.chaos.faults import Faults
from facecli.chaos.traffic_log import TrafficLog

RECEIVE_SIZE = 256 * 1024  # bytes
MAX_DELAYED_RATE = 10**9  # bytes per second that the ring has room for when there is only a delay
MAX_RING_SIZE = 64 * 1024**2  # bytes
MIN_RING_SIZE = 4096  # bytes
RING_SECONDS = 0.04  # seconds of a rate that may queue in the ring
KERNEL_SECONDS = 0.01  # seconds of a rate that may queue in the kernel's receive buffer
MIN_KERNEL_BUFFER = 128 * 1024  # bytes; with less the kernel waits for acknowledgements
BURST_SECONDS = 0.002  # seconds of a rate that are sent together
CATCH_UP_SECONDS = 0.05  # seconds of a rate that a late wake-up may catch up on


class Flow:
    """Moves the first `limit` bytes from one non-blocking socket to another.

    A byte is sent `delay` seconds after it was received, and not before the bytes ahead of it were sent at
    `rate` bytes per second. A full ring receives nothing, so that TCP applies backpressure to the sender.
    """

    def __init__(
        self,
        direction: Direction,
        source: socket.socket,
        target: socket.socket,
        *,
        log: TrafficLog,
        faults: Faults,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = sys.maxsize
        self.passed = 0
        self.blocked = False  # the target accepts no more at the moment
        self.held = False  # the traffic log lets no more pass
        self.ended = False  # the source has closed its side
        self.done = False  # the end was passed on, or the target is gone
        self.reset = False  # the source ended with a reset
        self.wake_at: float | None = None  # the next time to send, even if nothing is received
        self._direction = direction
        self._source = source
        self._target = target
        self._log = log
        self._delay = faults.delay
        self._rate = faults.rate
        self._clock = clock
        if faults.rate:
            buffer = min(MAX_RING_SIZE, max(MIN_KERNEL_BUFFER, int(faults.rate * KERNEL_SECONDS)))
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._ring = memoryview(
            mmap.mmap(-1, _capacity(faults.delay, faults.rate))
        )  # pages take memory only when used
        self._first = 0  # index of the first byte in the ring
        self._waiting = 0  # bytes in the ring
        self._due = 0  # of these, bytes whose delay has passed
        self._times: deque[tuple[float, int]] = deque()  # times at which so many more bytes are due
        self._end_at = 0.0
        self._free_at = 0.0  # when the last byte sent has passed at the limited rate

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def wants_more(self) -> bool:
        return not (self.ended or self.done) and self._waiting < len(self._ring)

    def receive(self) -> None:
        """Receive as much as there is room for."""
        if not self.wants_more:
            return
        if not self._waiting:
            self._first = 0
        begin = (self._first + self._waiting) % len(self._ring)
        end = min(begin + min(RECEIVE_SIZE, len(self._ring) - self._waiting), len(self._ring))
        try:
            count = self._source.recv_into(self._ring[begin:end])
        except BlockingIOError:
            return
        except OSError:
            count, self.reset = 0, True
        due = self._clock() + self._delay
        if count:
            self._waiting += count
            self._times.append((due, count))
        else:
            self.ended, self._end_at = True, due

    def send(self) -> None:
        """Send the bytes that may be sent now, and after the last one the end."""
        self.wake_at = None
        self.blocked = self.held = False
        while not self.done and self.passed < self.limit and (count := self._sendable()):
            reserved = self._log.reserve(self._direction, min(count, self.limit - self.passed))
            sent = self._push(reserved)
            self._log.settle(self._direction, reserved=reserved, passed=sent)
            self.held = not reserved
            self.blocked = sent < reserved
            if self.held or self.blocked:
                return
        if self.ended and not self._waiting and not self.done:
            self._pass_end()

    def flip(self, bit: int) -> None:
        """Flip a bit of the next byte to be sent."""
        self._ring[self._first] ^= 1 << bit

    def _sendable(self) -> int:
        """The number of contiguous bytes that may be sent now."""
        now = self._clock()
        while self._times and self._times[0][0] <= now:
            due, count = self._times.popleft()
            if not self._due:
                self._free_at = max(self._free_at, due)
            self._due += count
        count = min(self._due, len(self._ring) - self._first)
        if not count:
            self.wake_at = self._times[0][0] if self._times else None
        elif self._rate:
            self._free_at = max(self._free_at, now - CATCH_UP_SECONDS)
            burst = min(count, max(64, round(self._rate * BURST_SECONDS)))
            allowed = round((now - self._free_at) * self._rate)
            if allowed < burst:
                self.wake_at = self._free_at + burst / self._rate
                return 0
            count = min(count, allowed)
        return count

    def _push(self, count: int) -> int:
        """Send to the target; returns how many bytes it accepted."""
        if not count:
            return 0
        try:
            sent = self._target.send(self._ring[self._first : self._first + count])
        except BlockingIOError:
            return 0
        except OSError:
            self.done = True
            return 0
        self.passed += sent
        self._first = (self._first + sent) % len(self._ring)
        self._waiting -= sent
        self._due -= sent
        if self._rate:
            self._free_at += sent / self._rate
        return sent

    def _pass_end(self) -> None:
        if self._clock() < self._end_at:
            self.wake_at = self._end_at
            return
        self.done = True
        if not self.reset:
            shut_down(self._target, socket.SHUT_WR)


def shut_down(sock: socket.socket, how: int) -> None:
    """Shut a socket down, unless the peer is gone."""
    try:
        sock.shutdown(how)
    except OSError:
        return


def _capacity(delay: float, rate: int | None) -> int:
    if rate:
        return min(MAX_RING_SIZE, max(MIN_RING_SIZE, int(rate * (delay + RING_SECONDS))))
    return min(MAX_RING_SIZE, RECEIVE_SIZE + int(delay * MAX_DELAYED_RATE))
