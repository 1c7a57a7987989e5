"""The bytes that a page sends through a proxy, and what each break of its connection costs."""

from collections.abc import Callable

from facecli.chaos.events import Direction
from facecli.chaos.proxy import Proxy
from tests.support.eventually import DEADLINE


class Traffic:
    """Bytes to the server from now on; `stored` returns how many of them are stored.

    `lost` has the bytes that each break has cost: they were sent and are not stored.
    """

    def __init__(self, proxy: Proxy, stored: Callable[[], int]) -> None:
        self.stored = stored
        self._proxy = proxy
        self._start = proxy.passed(Direction.SERVER)
        self._limit = 0
        self.lost: list[int] = []

    def hold(self, *, after: int) -> None:
        """Pass this many more bytes, and hold what follows."""
        self._limit = self._proxy.passed(Direction.SERVER) + after
        self._proxy.release(Direction.SERVER)
        self._proxy.hold(Direction.SERVER, after=self._limit)

    def wait_until_held(self) -> None:
        assert self._proxy.wait_for(lambda: self._proxy.passed(Direction.SERVER) >= self._limit, DEADLINE)

    def sent(self) -> int:
        return self._proxy.passed(Direction.SERVER) - self._start

    def note_break(self) -> None:
        """Count the bytes that have to be sent again if the connection breaks now."""
        self.lost.append(self.sent() - self.stored() - sum(self.lost))
