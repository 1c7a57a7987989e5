"""The datagram socket of a service manager, as systemd gives it to a service."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.eventually import DEADLINE

WATCHDOG_SECONDS = 0.3
LONG_SECONDS = 24.0  # a socket keeps about 10 messages until somebody receives them


class NotifySocket:
    """Receives the messages of a service, whose `environment` names it."""

    def __init__(self, connection: socket.socket, name: str, *, watchdog: float) -> None:
        self._connection = connection
        self._connection.settimeout(DEADLINE)
        self.environment: Mapping[str, str] = {
            "NOTIFY_SOCKET": name,
            "WATCHDOG_USEC": str(int(watchdog * 1e6)),
        }

    def receive(self) -> dict[str, str]:
        """The next message."""
        lines = self._connection.recv(4096).decode().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def wait_for(self, state: str) -> dict[str, str]:
        """The next message with this state; those before it are forgotten."""
        while state not in (message := self.receive()):
            pass
        return message

    def forget(self) -> None:
        """Forget the messages that have come."""
        self._connection.setblocking(False)
        try:
            while True:
                self._connection.recv(4096)
        except BlockingIOError:
            self._connection.settimeout(DEADLINE)

    def has_message(self) -> bool:
        self._connection.setblocking(False)
        try:
            return bool(self._connection.recv(4096))
        except BlockingIOError:
            return False
        finally:
            self._connection.settimeout(DEADLINE)


@contextmanager
def notify_socket(
    folder: Path, *, abstract: bool = False, watchdog: float = WATCHDOG_SECONDS
) -> Iterator[NotifySocket]:
    name = f"@facecli-test-{os.getpid()}-{id(folder)}" if abstract else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.bind(f"\0{name[1:]}" if abstract else name)
        yield NotifySocket(connection, name, watchdog=watchdog)
