"""Progress of a transfer, and of a task."""

from typing import Protocol


class TransferProgress(Protocol):
    """Observer of one file's transfer. The stored bytes never decrease, whatever fails on the way."""

    def begin(self, name: str, total: int | None, stored: int) -> None:
        """`stored` of `total` bytes are stored already; `total` is None when it is unknown."""
        ...

    def sent(self, total_sent: int) -> None:
        """Bytes sent to the server, in order: less after a retry, and never to be shown as done."""
        ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None:
        """The transfer failed and will be retried in so many seconds."""
        ...

    def verified(self) -> None: ...


class NullProgress:
    """Progress that shows nothing."""

    def begin(self, name: str, total: int | None, stored: int) -> None: ...

    def sent(self, total_sent: int) -> None: ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None: ...

    def verified(self) -> None: ...
