"""What can be said about a transfer while it runs."""

from typing import Protocol


class TransferProgress(Protocol):
    """Told by a transfer, for one file. What is stored never goes back, whatever breaks on the way."""

    def begin(self, name: str, total: int | None, stored: int) -> None:
        """`stored` bytes of `total` are there already; None when the total is unknown."""
        ...

    def sent(self, total_sent: int) -> None:
        """So much has left for the server, in order; never to be shown as done, and less after a break."""
        ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None:
        """The transfer broke and goes on after a pause."""
        ...

    def verified(self) -> None: ...


class Silent:
    """Says nothing."""

    def begin(self, name: str, total: int | None, stored: int) -> None: ...

    def sent(self, total_sent: int) -> None: ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None: ...

    def verified(self) -> None: ...
