"""The outage of a server: since when it has not answered, announced once for all calls of a connection."""

from collections.abc import Callable
from threading import Lock

from facecli.client.calls.durations import duration
from facecli.core.errors import FacecliError, ServerUnreachable, Unavailable


class Outage:
    """Shared by the calls of a connection, which fail and wait together while a server is away."""

    def __init__(self, servers: str, *, notify: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._servers = servers
        self._notify = notify
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        self._announced = set[type[FacecliError]]()
        self.answered = False  # whether the server has ever answered

    @property
    def since(self) -> float | None:
        """When the first of the current failures happened; None while the server answers."""
        return self._since

    def ended(self) -> None:
        """Record an answer of the server."""
        if self._since is None and not self._announced and self.answered:
            return
        with self._lock:
            self.answered = True
            self._since = None
            self._announced.clear()

    def failed(self, error: FacecliError) -> None:
        """Record a failure; any but a missing answer is an answer, too."""
        if not isinstance(error, Unavailable):
            self.ended()
            return
        with self._lock:
            if self._since is None:
                self._since = self._clock()

    def announce(self, error: FacecliError, limit: float, first: bool) -> None:
        """Say once that calls are retried, and for how long.

        The first break of a connection that stood is no news: the next try fixes most of them.
        """
        unreachable = isinstance(error, ServerUnreachable)
        if first and not unreachable and isinstance(error, Unavailable):
            return
        kind = Unavailable if isinstance(error, Unavailable) else type(error)
        with self._lock:
            if kind in self._announced:
                return
            self._announced.add(kind)
        cause = f"server {self._servers} unreachable" if unreachable else error.message
        self._notify(f"{cause}; retrying for {duration(limit)}")
