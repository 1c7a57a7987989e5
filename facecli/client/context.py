"""The context that all clients of one connection share."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from facecli.client.connection import Connection
from facecli.core.backoff import RetryBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """A connection, the user to act as, and the clock that retries are timed by."""

    connection: Connection
    user: str
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def retry_budget(self, retry_for: float) -> RetryBudget:
        """A new budget that allows retries for `retry_for` seconds without progress."""
        return self.connection.retry_budget(retry_for, clock=self.clock, sleep=self.sleep)
