"""A POST request to a checked address, which ends within its time whatever the receiver does."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress

from facecli.core.errors import FacecliError, Unavailable
from facecli.webhooks.targets import Target

TIMEOUT = 10.0  # seconds for the whole request
_ACCEPTED = range(200, 300)


def post(
    target: Target, address: str, content: bytes, headers: Mapping[str, str], *, timeout: float = TIMEOUT
) -> None:
    """Send the request; FacecliError unless the receiver accepts it. Its answer is not read any further."""
    connection = _PinnedConnection(target, address, timeout)
    timer = threading.Timer(timeout, connection.abort)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", target.path, content, {**headers, "host": target.authority})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.aborted:
            raise Unavailable(f"{target.host} did not answer within {timeout:g} s") from error
        raise Unavailable(f"{target.host}: {_cause(error)}") from error
    finally:
        timer.cancel()
        connection.close()
    if status not in _ACCEPTED:
        suffix = "; redirects are not followed" if status in range(300, 400) else ""
        raise FacecliError(f"{target.host} answered with status {status}{suffix}")


class _PinnedConnection(http.client.HTTPConnection):
    """A connection for the name of the target to one address of it."""

    def __init__(self, target: Target, address: str, timeout: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._target = target
        self._pinned = address
        self.aborted = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._pinned, self._target.port), self.timeout)
        if self._target.secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)

    def abort(self) -> None:
        """End the request in whatever call it waits, from another thread."""
        self.aborted = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _cause(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
