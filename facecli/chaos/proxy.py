"""A proxy that does to TCP connections what networks do: for tests, and to try one's own client."""

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from os import close, pipe, strerror, write
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from facecli.chaos.connection import Command, Line
from facecli.chaos.events import Direction, Event, EventKind, Record
from facecli.chaos.faults import Faults
from facecli.chaos.flow import shut
from facecli.core.addresses import checked_address
from facecli.core.errors import InvalidInput

PLAIN = Faults()


class Proxy:
    """Listens at `address` and carries every connection to `server`, both HOST:PORT, as the faults have it.

    Listens from its making on, accepts from `with` on; on leaving, every connection is ended. `told` hears
    every event, in the thread where it happens. InvalidInput when it cannot listen there.
    """

    def __init__(
        self,
        server: str,
        *,
        bind: str = "127.0.0.1:0",
        faults: Faults = PLAIN,
        told: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._server = _place(server, option="--to")
        self._faults = faults
        self._record = Record(told)
        self._lines: list[Line] = []
        self._lock = Lock()
        self._cuts = 0
        self._opened = 0
        self._ending = False
        self._listener = _listener(bind)
        self.address = f"{bind.rpartition(':')[0]}:{self._listener.getsockname()[1]}"
        self._wakeup_r, self._wakeup_w = pipe()
        self._thread = Thread(target=self._attend, name="proxy")

    def passed(self, toward: Direction) -> int:
        """Bytes that have passed on all connections together."""
        return self._record.passed(toward)

    @property
    def events(self) -> list[Event]:
        """All so far, or the last hundred thousand."""
        return list(self._record.events)

    def happened(self, what: EventKind) -> list[Event]:
        """The events of one kind so far."""
        return [event for event in self.events if event.event is what]

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Until the condition holds, looked at whenever bytes passed or something happened."""
        return self._record.wait_for(condition, timeout)

    def hold(self, toward: Direction, *, after: int = 0) -> None:
        """Let the first `after` bytes of that way pass, counted over all connections; the rest waits."""
        self._record.hold(toward, after=after)

    def release(self, toward: Direction) -> None:
        """Let pass what waits, and what follows."""
        self._record.release(toward)
        self._ask()

    def cut(self, *, reset: bool = False) -> None:
        """End every open connection, on both sides."""
        self._ask(Command.RESET if reset else Command.CUT)

    def blackhole(self) -> None:
        """Let nothing pass any more on the connections that are open now, and leave them open."""
        self._ask(Command.BLACKHOLE)

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
        self._ask(Command.END)
        for line in self._lines:
            line.join()
        close(self._wakeup_w)
        close(self._wakeup_r)

    def _attend(self) -> None:
        """Accept connections, and follow the schedule."""
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
                    # On Linux a listener that is shut down refuses who comes, and keeps its port.
                    poll.unregister(self._listener)
                    shut(self._listener, socket.SHUT_RD)
                self._record.happened(EventKind.UP if up else EventKind.DOWN)
                if not up:
                    self.cut(reset=self._faults.reset)

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError), self._lock:
            client, _ = self._listener.accept()
            self._opened += 1
            over = [line for line in self._lines if line.over]
            for line in over:
                line.join()
                self._lines.remove(line)
            self._lines.append(
                Line(
                    self._opened,
                    client,
                    self._server,
                    faults=self._faults,
                    record=self._record,
                    may_cut=self._may_cut,
                )
            )

    def _may_cut(self) -> bool:
        with self._lock:
            self._cuts += 1
            return self._faults.cuts is None or self._cuts <= self._faults.cuts

    def _ask(self, *wishes: Command) -> None:
        with self._lock:
            for line in self._lines:
                line.ask(*wishes)


def _listener(bind: str) -> socket.socket:
    host, port = _place(bind, option="--bind")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as place:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
            place.bind((host, port))
            # By its number, or the port is not kept while the line is down.
            listener = socket.create_server((host, place.getsockname()[1]), family=family)
    except OSError as error:
        raise InvalidInput(f"cannot listen on {bind}: {strerror(error.errno or 0)}") from error
    listener.setblocking(False)
    return listener


def _place(address: str, *, option: str) -> tuple[str, int]:
    lowest = 0 if option == "--bind" else 1
    host, _, port = checked_address(address, option=option, lowest_port=lowest).rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)
