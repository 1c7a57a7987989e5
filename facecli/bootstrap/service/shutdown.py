"""The end of a server: it drains, ends what still runs then, and stops its workers.

Theory of operation. The workers get their signal first: each gives its task back, and workers of other
machines go on with it. The server says that it is not ready (gRPC health, `/readyz`), ends its watchers,
which ask again at another server, and takes no new calls: gRPC closes its port and sends GOAWAY, so clients
that know another server go there and repeat by themselves what this one has not begun; a call that arrives
all the same gets UNAVAILABLE, a request over HTTP 503. Running calls have `timeout` seconds. After that
uploads end with what they have stored, and everything else is cancelled.
"""

import logging
import time
from typing import TYPE_CHECKING

from facecli.rpc.server import Server
from facecli.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from facecli.web.server import WebServer

END_SECONDS = 5.0  # for uploads to store what has arrived, and for workers to give back their tasks

_log = logging.getLogger(__name__)


class Shutdown:
    """Shuts down a server that may not have started completely; `web` is its HTTP server, if any."""

    def __init__(self, server: Server, supervisor: Supervisor, *, timeout: float) -> None:
        self.web: WebServer | None = None
        self._server = server
        self._supervisor = supervisor
        self._timeout = timeout
        self._done = False

    def run(self) -> None:
        """Drain, and stop. Idempotent."""
        if not self._done:
            self._done = True
            self._drain()
            self._stop()

    def _drain(self) -> None:
        end = time.monotonic() + self._timeout
        self._supervisor.terminate()
        self._server.drain(self._timeout + END_SECONDS)
        if self.web:
            self.web.gate.close()
        _log.info("draining", extra={"timeout": self._timeout})
        drained = self._server.wait_drained(self._timeout)
        if self.web:
            drained &= self.web.gate.wait_empty(end - time.monotonic())
        if drained:
            _log.info("drained; no call is running")
        else:
            _log.warning("drain timeout passed; running calls are ended", extra={"timeout": self._timeout})

    def _stop(self) -> None:
        self._server.end_uploads()
        if self.web:
            self.web.stop(END_SECONDS)
        self._server.stop(END_SECONDS)
        self._supervisor.stop(END_SECONDS)
