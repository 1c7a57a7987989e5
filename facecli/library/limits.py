"""Sessions for the calls of a client: each call has its own time limit."""

from facecli.library.session import Session


class CallSessions:
    """Makes the session of a call. Nothing is shared between calls but the connection, which is thread-safe.

    `call_retry_for` is how long single calls are retried while the server is away.
    """

    def __init__(self, session: Session, *, call_retry_for: float) -> None:
        self._session = session
        self._call_retry_for = call_retry_for

    def short(self, timeout: float | None = None) -> Session:
        """A session for single calls."""
        return self._session.limited(timeout=timeout, retry_for=self._call_retry_for)

    def long(self, timeout: float | None = None) -> Session:
        """A session for transfers and watches."""
        return self._session.limited(timeout=timeout, retry_for=self.retry_for)

    @property
    def retry_for(self) -> float:
        """Seconds for which transfers and watches wait for a server that is away."""
        return self._session.settings.retry_for

    @property
    def chunk_size(self) -> int:
        return self._session.settings.chunk_size
