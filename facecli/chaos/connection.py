"""One connection through the proxy: a thread, two sockets, and what befalls them."""

import os
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from threading import Thread

from facecli.chaos.events import Direction, EventKind, Record
from facecli.chaos.faults import Faults
from facecli.chaos.flow import BLOCK, Flow, shut

CONNECT = 10.0  # seconds the server may take to accept
FAREWELL = 3.0  # seconds the server may take to end a connection that was cut

_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset


class Command(Enum):
    """What becomes of an open connection."""

    CUT = auto()
    RESET = auto()
    BLACKHOLE = auto()
    END = auto()


class Line:
    """Carries a client's bytes to the server and back until one side ends it or a fault does.

    An end passes behind the bytes before it, and leaves the other way open. While something is held, any end
    that is seen ends both sides at once, and what is held is lost. A blackhole lets no end pass either.
    `may_cut` is asked before a cut of the plan.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        server: tuple[str, int],
        *,
        faults: Faults,
        record: Record,
        may_cut: Callable[[], bool],
    ) -> None:
        self.over = False
        self._number = number
        self._client = client
        self._address = server
        self._faults = faults
        self._record = record
        self._may_cut = may_cut
        plan = faults.plan(number)
        self._cut_at, self._blackhole_at, self._flips = plan.cut_at, plan.blackhole_at, plan.flips
        self._flip = next(plan.flips, None)
        self._wishes: deque[Command] = deque()
        self._wakeup_r, self._wakeup_w = os.pipe()
        self._watched: dict[int, int] = {}
        self._poll = select.poll()
        self._hung_up = False
        self._thread = Thread(target=self._run, name=f"line-{number}")
        self._thread.start()

    def ask(self, *wishes: Command) -> None:
        """From any thread; without a wish it only looks again at what is held."""
        self._wishes += wishes
        os.write(self._wakeup_w, b"!")

    def join(self) -> None:
        """Wait for its end. It can be asked nothing more then."""
        self._thread.join()
        os.close(self._wakeup_w)
        os.close(self._wakeup_r)

    def _run(self) -> None:
        with self._client as client:
            try:
                server = socket.create_connection(self._address, CONNECT)
            except OSError:
                self._record.happened(EventKind.UNREACHABLE, self._number)
                _reset(client)
            else:
                with server:
                    self._carry(client, server)
        self.over = True

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        delay, rate, record = self._faults.delay, self._faults.rate, self._record
        self._server = server
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._up = Flow(Direction.SERVER, client, server, record=record, delay=delay, rate=rate)
        self._down = Flow(Direction.CLIENT, server, client, record=record, delay=delay, rate=rate)
        self._poll.register(self._wakeup_r, select.POLLIN)
        self._happened(EventKind.OPENED)
        wish = None
        while wish is None:
            self._wait()
            self._up.receive()
            self._down.receive()
            self._down.send()
            wish = self._send_up() or self._asked() or self._ended()
        if wish is Command.BLACKHOLE:
            self._happened(EventKind.BLACKHOLE)
            wish = self._say_nothing()
        self._happened(EventKind.CLOSED if wish is Command.END else EventKind.CUT)
        if wish is Command.CUT:
            self._part()
        elif wish is Command.RESET or self._up.reset or self._down.reset:
            _reset(client, server)

    def _wait(self) -> None:
        """Until a socket has or takes bytes that can be used, it is time, or somebody rings."""
        watched = {
            self._client.fileno(): _interest(leaving=self._up, arriving=self._down),
            self._server.fileno(): _interest(leaving=self._down, arriving=self._up),
        }
        for number, interest in watched.items():
            if interest == self._watched.get(number, 0):
                continue
            if interest:
                self._poll.register(number, interest)
            else:
                self._poll.unregister(number)
        self._watched = watched
        times = (flow.wake_at for flow in (self._up, self._down) if flow.wake_at is not None)
        wake_at = min(times, default=None)
        pause = None if wake_at is None else max(0.0, wake_at - time.monotonic()) * 1000
        for number, found in self._poll.poll(pause):
            if number == self._wakeup_r:
                os.read(self._wakeup_r, BLOCK)
            elif found & watched[number] & select.POLLRDHUP:
                self._hung_up = True

    def _send_up(self) -> Command | None:
        """Towards the server, no further than to what the plan has next."""
        while True:
            stops = (self._cut_at, self._blackhole_at, self._flip.at if self._flip else None)
            self._up.limit = min((stop for stop in stops if stop is not None), default=sys.maxsize)
            self._up.send()
            if self._up.passed == self._blackhole_at:
                return Command.BLACKHOLE
            if self._up.passed == self._cut_at:
                if self._may_cut():
                    return Command.RESET if self._faults.reset else Command.CUT
                self._cut_at = None
            elif self._flip and self._up.passed == self._flip.at and self._up.waiting:
                self._happened(EventKind.FLIP)
                self._up.flip(self._flip.bit)
                self._flip = next(self._flips)
            else:
                return None

    def _asked(self) -> Command | None:
        return self._wishes.popleft() if self._wishes else None

    def _ended(self) -> Command | None:
        flows = (self._up, self._down)
        held = any(flow.held for flow in flows)
        lost = held and any(flow.ended and (flow.held or flow.done) for flow in flows)
        over = (
            self._hung_up
            or lost
            or all(flow.done for flow in flows)
            or any(flow.done and flow.reset for flow in flows)
        )
        return Command.END if over else None

    def _say_nothing(self) -> Command:
        """Neither read nor write until somebody asks for an end, or both sides are gone."""
        ends = {self._client.fileno(), self._server.fileno()}
        poll = select.poll()
        poll.register(self._wakeup_r, select.POLLIN)
        for number in ends:
            poll.register(number, select.POLLRDHUP)
        while ends:
            for number, _ in poll.poll():
                if number != self._wakeup_r:
                    poll.unregister(number)
                    ends.remove(number)
                elif os.read(number, BLOCK) and (wish := self._asked()) not in (None, Command.BLACKHOLE):
                    return wish
        return Command.END

    def _part(self) -> None:
        """End both sides plainly. The server is read out, or a reset would lose what was sent to it last."""
        shut(self._client, socket.SHUT_RDWR)
        shut(self._server, socket.SHUT_WR)
        self._server.settimeout(FAREWELL)
        until = time.monotonic() + FAREWELL
        with suppress(OSError):
            while self._server.recv(BLOCK) and time.monotonic() < until:
                pass

    def _happened(self, what: EventKind) -> None:
        up, down = self._up.passed, self._down.passed
        self._record.happened(what, self._number, to_server=up, to_client=down)


def _interest(*, leaving: Flow, arriving: Flow) -> int:
    """What to watch a socket for, by the flows from it and to it; an end only where it ends what is held."""
    return (
        (select.POLLIN if leaving.wants_more else 0)
        | (select.POLLRDHUP if leaving.held else 0)
        | (select.POLLOUT if arriving.blocked else 0)
    )


def _reset(*ends: socket.socket) -> None:
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
