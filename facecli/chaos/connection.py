"""A connection through the proxy.

Theory of operation. Each connection has a thread that polls both sockets and a wake-up pipe. Two flows, one
for each direction, hold the bytes that are delayed. The thread sleeps until a socket is ready for a flow that
can use it, a delayed byte is due, or a command arrives. On the way to the server it never sends past the next
offset of the fault plan, so that a cut, a blackhole or a flipped bit comes at exactly the planned byte.
"""

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

from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults
from facecli.chaos.flow import RECEIVE_SIZE, Flow, shut_down
from facecli.chaos.traffic_log import TrafficLog

CONNECT_TIMEOUT = 10.0  # seconds
CLOSE_TIMEOUT = 3.0  # seconds the server may take to close a connection that was cut

_LINGER_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset


class Command(Enum):
    """A command to an open connection."""

    CUT = auto()
    RESET = auto()
    BLACKHOLE = auto()
    END = auto()


class ProxyConnection:
    """Carries bytes between a client and the server until one side or a fault ends the connection.

    An end (FIN) is passed on after the bytes before it and leaves the other direction open. While bytes are
    held, an end closes both sides at once and the held bytes are lost. A blackhole passes no end either. A
    planned cut happens only if `may_cut` allows it.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        server: tuple[str, int],
        *,
        faults: Faults,
        log: TrafficLog,
        may_cut: Callable[[], bool],
    ) -> None:
        self.finished = False
        self._number = number
        self._client = client
        self._address = server
        self._faults = faults
        self._log = log
        self._may_cut = may_cut
        plan = faults.plan(number)
        self._cut_at, self._blackhole_at, self._flips = plan.cut_at, plan.blackhole_at, plan.flips
        self._flip = next(plan.flips, None)
        self._commands: deque[Command] = deque()
        self._wakeup_r, self._wakeup_w = os.pipe()
        self._watched: dict[int, int] = {}
        self._poll = select.poll()
        self._hung_up = False
        self._thread = Thread(target=self._run, name=f"connection-{number}")
        self._thread.start()

    def post(self, *commands: Command) -> None:
        """Queue commands and wake the connection, from any thread; it rechecks held bytes as well."""
        self._commands += commands
        os.write(self._wakeup_w, b"!")

    def join(self) -> None:
        """Wait for the end of the connection. Nothing may be posted afterwards."""
        self._thread.join()
        os.close(self._wakeup_w)
        os.close(self._wakeup_r)

    def _run(self) -> None:
        with self._client as client:
            try:
                server = socket.create_connection(self._address, CONNECT_TIMEOUT)
            except OSError:
                self._log.record(EventKind.UNREACHABLE, self._number)
                _reset(client)
            else:
                with server:
                    self._carry(client, server)
        self.finished = True

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        faults, log = self._faults, self._log
        self._server = server
        for sock in (client, server):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._up = Flow(Direction.SERVER, client, server, log=log, faults=faults)
        self._down = Flow(Direction.CLIENT, server, client, log=log, faults=faults)
        self._poll.register(self._wakeup_r, select.POLLIN)
        self._record(EventKind.OPENED)
        command = None
        while command is None:
            self._wait()
            self._up.receive()
            self._down.receive()
            self._down.send()
            command = self._send_up() or self._next_command() or self._ended()
        if command is Command.BLACKHOLE:
            self._record(EventKind.BLACKHOLE)
            command = self._black_out()
        self._record(EventKind.CLOSED if command is Command.END else EventKind.CUT)
        if command is Command.CUT:
            self._cut()
        elif command is Command.RESET or self._up.reset or self._down.reset:
            _reset(client, server)

    def _wait(self) -> None:
        """Wait until a socket is ready for a flow that can use it, bytes are due, or a command arrives."""
        watched = {
            self._client.fileno(): _interest(outgoing=self._up, incoming=self._down),
            self._server.fileno(): _interest(outgoing=self._down, incoming=self._up),
        }
        for fd, interest in watched.items():
            if interest == self._watched.get(fd, 0):
                continue
            if interest:
                self._poll.register(fd, interest)
            else:
                self._poll.unregister(fd)
        self._watched = watched
        times = (flow.wake_at for flow in (self._up, self._down) if flow.wake_at is not None)
        wake_at = min(times, default=None)
        pause = None if wake_at is None else max(0.0, wake_at - time.monotonic()) * 1000
        for fd, events in self._poll.poll(pause):
            if fd == self._wakeup_r:
                os.read(self._wakeup_r, RECEIVE_SIZE)
            elif events & watched[fd] & select.POLLRDHUP:
                self._hung_up = True

    def _send_up(self) -> Command | None:
        """Send to the server, up to the next fault of the plan."""
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
                self._record(EventKind.FLIP)
                self._up.flip(self._flip.bit)
                self._flip = next(self._flips)
            else:
                return None

    def _next_command(self) -> Command | None:
        return self._commands.popleft() if self._commands else None

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

    def _black_out(self) -> Command:
        """Neither read nor write until an end is commanded or both sides are gone."""
        open_sockets = {self._client.fileno(), self._server.fileno()}
        poll = select.poll()
        poll.register(self._wakeup_r, select.POLLIN)
        for fd in open_sockets:
            poll.register(fd, select.POLLRDHUP)
        while open_sockets:
            for fd, _ in poll.poll():
                if fd != self._wakeup_r:
                    poll.unregister(fd)
                    open_sockets.remove(fd)
                elif os.read(fd, RECEIVE_SIZE):
                    command = self._next_command()
                    if command not in (None, Command.BLACKHOLE):
                        return command
        return Command.END

    def _cut(self) -> None:
        """Close both sides with FIN, draining the server: a reset would lose the last bytes sent to it."""
        shut_down(self._client, socket.SHUT_RDWR)
        shut_down(self._server, socket.SHUT_WR)
        self._server.settimeout(CLOSE_TIMEOUT)
        deadline = time.monotonic() + CLOSE_TIMEOUT
        with suppress(OSError):
            while self._server.recv(RECEIVE_SIZE) and time.monotonic() < deadline:
                pass

    def _record(self, kind: EventKind) -> None:
        up, down = self._up.passed, self._down.passed
        self._log.record(kind, self._number, to_server=up, to_client=down)


def _interest(*, outgoing: Flow, incoming: Flow) -> int:
    """The poll events of a socket; a hang-up matters only while bytes from it are held."""
    return (
        (select.POLLIN if outgoing.wants_more else 0)
        | (select.POLLRDHUP if outgoing.held else 0)
        | (select.POLLOUT if incoming.blocked else 0)
    )


def _reset(*sockets: socket.socket) -> None:
    """Make closing these sockets send RST."""
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
