"""Progress display whose failures do not affect the transfer."""

from collections.abc import Callable

from facecli.core.progress import NullProgress, TransferProgress


class SafeProgress:
    """Drops its bar when drawing fails, for example because stderr was closed; the transfer continues."""

    def __init__(self, bar: TransferProgress) -> None:
        self._bar = bar

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._draw(lambda bar: bar.begin(name, total, stored))

    def sent(self, total_sent: int) -> None:
        """Ignored: bars show stored bytes."""

    def stored(self, total_stored: int) -> None:
        self._draw(lambda bar: bar.stored(total_stored))

    def waiting(self, reason: str, seconds: float) -> None:
        self._draw(lambda bar: bar.waiting(reason, seconds))

    def verified(self) -> None:
        self._draw(lambda bar: bar.verified())

    def failed(self) -> None:
        """Ignored, unless a bar shows it."""

    def _draw(self, draw: Callable[[TransferProgress], None]) -> None:
        try:
            draw(self._bar)
        except (OSError, ValueError):
            self._bar = NullProgress()
