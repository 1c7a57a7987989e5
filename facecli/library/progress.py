"""Progress of a transfer, as the library reports it to a callback."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The state of one file's transfer; sizes in bytes.

    `stored` is what the receiver has stored for good: it never decreases. `waiting` is why the transfer is
    interrupted at the moment and will be retried, and empty otherwise.
    """

    name: str
    total: int | None = None  # unknown until it has begun
    stored: int = 0
    waiting: str = ""
    verified: bool = False


class TransferReporter:
    """Observer of a transfer that passes on every change, in the thread that transfers."""

    def __init__(self, report: Callable[[Transfer], object] | None, *, name: str = "") -> None:
        self._report = report
        self._state = Transfer(name=name)

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._change(Transfer(name=name, total=total, stored=max(stored, self._state.stored)))

    def sent(self, total_sent: int) -> None:
        """Report nothing: sent bytes are not stored yet, and another thread sends them."""

    def stored(self, total_stored: int) -> None:
        self._change(replace(self._state, stored=total_stored, waiting=""))

    def waiting(self, reason: str, seconds: float) -> None:
        self._change(replace(self._state, waiting=reason))

    def verified(self) -> None:
        self._change(replace(self._state, waiting="", verified=True))

    def _change(self, state: Transfer) -> None:
        if state != self._state:
            self._state = state
            if self._report:
                self._report(state)
