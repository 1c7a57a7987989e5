"""A TCP fault proxy, for tests and for trying a client on a bad network."""

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from os import close, pipe, strerror, write
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from facecli.chaos.connection import Command, ProxyConnection
from facecli.chaos.events import Direction, Event, EventKind
from facecli.chaos.faults import Faults
from facecli.chaos.flow import shut_down
from facecli.chaos.traffic_log import TrafficLog
from facecli.core.addresses import checked_address
from facecli.core.errors import InvalidInput

NO_FAULTS = Faults()


class Proxy:
    """Listens at `address` and forwards every connection to `server`, both HOST:PORT, with the given faults.

    It listens when created, accepts connections inside `with`, and ends all of them on exit. `on_event` is
    called with every event, in the thread where it happens. InvalidInput when it cannot listen.
    """

    def __init__(
        self,
        server: str,
        *,
        bind: str = "127.0.0.1:0",
        faults: Faults = NO_FAULTS,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._server = _host_and_port(server, option="--to")
        self._faults = faults
        self._log = TrafficLog(on_event)
        self._connections: list[ProxyConnection] = []
        self._lock = Lock()
        self._planned_cuts = 0
        self._opened = 0
        self._ending = False
        self._listener = _listener(bind)
        self.address = f"{bind.rpartition(':')[0]}:{self._listener.getsockname()[1]}"
        self._wakeup_r, self._wakeup_w = pipe()
        self._thread = Thread(target=self._serve, name="proxy")

    def passed(self, direction: Direction) -> int:
        """Bytes that have passed on all connections together."""
        return self._log.passed(direction)

    @property
    def events(self) -> list[Event]:
        """All events so far; at most the last 100,000."""
        return list(self._log.events)

    def events_of(self, kind: EventKind) -> list[Event]:
        """The events of one kind so far."""
        return [event for event in self.events if event.event is kind]

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds, checked whenever bytes pass; False on timeout."""
        return self._log.wait_for(condition, timeout)

    def hold(self, direction: Direction, *, after: int = 0) -> None:
        """Hold all but the first `after` bytes of a direction, counted over all connections."""
        self._log.hold(direction, after=after)

    def release(self, direction: Direction) -> None:
        """Let the held bytes pass, and all that follow."""
        self._log.release(direction)
        self._post()

    def cut(self, *, reset: bool = False) -> None:
        """Close every open connection on both sides."""
        self._post(Command.RESET if reset else Command.CUT)

    def blackhole(self) -> None:
        """Stop all traffic on the connections that are open now, and leave them open."""
        self._post(Command.BLACKHOLE)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        write(self._wakeup_w, b"!")
        self._thread.join()
        self._listener.close()
        self._post(Command.END)
        for connection in self._connections:
            connection.join()
        close(self._wakeup_w)
        close(self._wakeup_r)

    def _serve(self) -> None:
        """Accept connections, and go up and down by the schedule of a flap."""
        flap, up = self._faults.flap, True
        change_at = time.monotonic() + flap.up if flap else None
        poll = select.poll()
        poll.register(self._wakeup_r, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        while not self._ending:
            pause = None if change_at is None else max(0.0, change_at - time.monotonic()) * 1000
            if any(number == self._listener.fileno() for number, _ in poll.poll(pause)):
                self._accept()
            if flap and change_at is not None and time.monotonic() >= change_at:
                up = not up
                change_at += flap.up if up else flap.down
                if up:
                    self._listener.listen()
                    poll.register(self._listener, select.POLLIN)
                else:
                    # On Linux a listener that was shut down refuses connections and keeps its port.
                    poll.unregister(self._listener)
                    shut_down(self._listener, socket.SHUT_RD)
                self._log.record(EventKind.UP if up else EventKind.DOWN)
                if not up:
                    self.cut(reset=self._faults.reset)

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError), self._lock:
            client, _ = self._listener.accept()
            self._opened += 1
            for connection in [each for each in self._connections if each.finished]:
                connection.join()
                self._connections.remove(connection)
            self._connections.append(
                ProxyConnection(
                    self._opened,
                    client,
                    self._server,
                    faults=self._faults,
                    log=self._log,
                    may_cut=self._may_cut,
                )
            )

    def _may_cut(self) -> bool:
        with self._lock:
            self._planned_cuts += 1
            return self._faults.cuts is None or self._planned_cuts <= self._faults.cuts

    def _post(self, *commands: Command) -> None:
        with self._lock:
            for connection in self._connections:
                connection.post(*commands)


def _listener(bind: str) -> socket.socket:
    host, port = _host_and_port(bind, option="--bind")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
            reserved.bind((host, port))
            # Bound by number, or the port would not be kept while the proxy is down.
            listener = socket.create_server((host, reserved.getsockname()[1]), family=family)
    except OSError as error:
        raise InvalidInput(f"cannot listen on {bind}: {strerror(error.errno or 0)}") from error
    listener.setblocking(False)
    return listener


def _host_and_port(address: str, *, option: str) -> tuple[str, int]:
    lowest = 0 if option == "--bind" else 1
    host, _, port = checked_address(address, option=option, lowest_port=lowest).rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)
