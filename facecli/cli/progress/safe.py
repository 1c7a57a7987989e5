"""A bar that cannot break the transfer it shows."""

from collections.abc import Callable

from facecli.core.progress import NullProgress, TransferProgress


class SafeProgress:
    """Falls silent when its bar cannot be drawn any more, as when stderr was closed; the transfer goes on."""

    def __init__(self, bar: TransferProgress) -> None:
        self._bar = bar

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._draw(lambda bar: bar.begin(name, total, stored))

    def sent(self, total_sent: int) -> None:
        """Bars show what is stored."""

    def stored(self, total_stored: int) -> None:
        self._draw(lambda bar: bar.stored(total_stored))

    def waiting(self, reason: str, seconds: float) -> None:
        self._draw(lambda bar: bar.waiting(reason, seconds))

    def verified(self) -> None:
        self._draw(lambda bar: bar.verified())

    def _draw(self, draw: Callable[[TransferProgress], None]) -> None:
        try:
            draw(self._bar)
        except (OSError, ValueError):
            self._bar = NullProgress()
