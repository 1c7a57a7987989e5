"""Webhooks: the URL that is notified when a task has ended, and the state of its notification."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from facecli.tasks.task import Task
from facecli.tasks.view import WebhookView


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook whose task has ended. `attempts` have failed so far; times are seconds since 1970."""

    task: Task
    url: str
    attempts: int
    next_attempt_at: float
    last_error: str = ""  # why the last attempt failed

    @property
    def id(self) -> str:
        """The receiver's idempotency key: the same for every attempt, another one after a retry."""
        return f"{self.task.id}.{self.task.round}"


class WebhookRepository(Protocol):
    def register(self, task_id: str, url: str) -> None:
        """Store the URL of a task; one that is stored already is replaced, and not notified twice."""
        ...

    def due(self, now: float, *, limit: int) -> Sequence[Webhook]:
        """Webhooks whose task has ended and whose next attempt is due, the oldest first."""
        ...

    def reopen(self) -> int:
        """Let webhooks of retried tasks become due that a crash has left closed; return their number."""
        ...

    def claim(self, webhook: Webhook, *, until: float) -> bool:
        """Put the next attempt off, so that no other server makes this one; False if one has done so."""
        ...

    def delivered(self, webhook: Webhook) -> None:
        """Record that the receiver has accepted the notification."""
        ...

    def given_up(self, webhook: Webhook, *, error: str) -> None:
        """Record that the last attempt has failed, too."""
        ...

    def view(self, task: Task) -> WebhookView | None:
        """The state of the notification of the task's round; None if nobody is to be notified."""
        ...

    def failed(self, webhook: Webhook, *, next_attempt_at: float, error: str) -> None: ...
