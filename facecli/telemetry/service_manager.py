"""States of this process for the service manager that started it: systemd's sd_notify protocol.

A message is one datagram of lines NAME=VALUE to the Unix socket in NOTIFY_SOCKET, whose name is abstract if
it begins with @. Nothing here can fail a service: without a socket, or a reader of it, messages are lost.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

SEND_TIMEOUT = 1.0  # seconds for room in the socket
PINGS = 3  # per watchdog time, so that one late ping costs nothing
MAX_STATUS = 200  # characters

_log = logging.getLogger(__name__)


class ServiceManager:
    """The receiver of the states; `environment` names its socket. Safe to use from many threads."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        # Seconds between two pings; None without a watchdog.
        self.ping_interval = _ping_interval(environment) if name else None

    def ready(self, status: str) -> None:
        """The service works, or has read its configuration again."""
        self._send("READY=1", _status(status))

    def reloading(self) -> None:
        """The service reads its configuration again; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        self._send("STOPPING=1", _status(status))

    def ping(self) -> None:
        """The watchdog kills a service whose pings stop."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.settimeout(SEND_TIMEOUT)
                connection.sendto("\n".join(lines).encode(), self._address)
        except (OSError, ValueError) as error:
            _log.debug("service manager not notified", extra={"error": str(error)})


def _ping_interval(environment: Mapping[str, str]) -> float | None:
    """A third of the watchdog's time; None if the watchdog is off or watches another process."""
    time_limit, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not time_limit.isdecimal() or not int(time_limit) or process not in ("", str(os.getpid())):
        return None
    return int(time_limit) / 1e6 / PINGS


def _status(text: str) -> str:
    return f"STATUS={text.splitlines()[0][:MAX_STATUS] if text else ''}"
