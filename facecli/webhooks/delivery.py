"""The delivery of webhooks: at least once, with backoff, over restarts, by any of several servers."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Protocol, Self

from facecli.core.errors import FacecliError
from facecli.webhooks.post import TIMEOUT, post
from facecli.webhooks.request import body, headers
from facecli.webhooks.targets import Target, TargetPolicy
from facecli.webhooks.webhook import Webhook, WebhookRepository

FIRST_DELAY, MAX_DELAY = 1.0, 3600.0  # seconds before the second attempt, and at most
MAX_ATTEMPTS = 35  # with these delays, over a day
THREADS = 4  # requests at a time
LEASE = 6 * TIMEOUT  # seconds after which another server may make an attempt that has not ended

_log = logging.getLogger(__name__)


class Post(Protocol):
    def __call__(self, target: Target, address: str, content: bytes, headers: Mapping[str, str]) -> None: ...


class WebhookDelivery:
    """Makes the attempts that are due, a few at a time. Use it in `with`, which waits for running ones."""

    def __init__(
        self,
        repository: WebhookRepository,
        policy: TargetPolicy,
        *,
        key: bytes,
        clock: Callable[[], float],
        post: Post = post,
    ) -> None:
        self._repository = repository
        self._policy = policy
        self._key = key
        self._clock = clock
        self._post = post
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._running = set[Future[None]]()
        self._reopened = False

    def run(self) -> None:
        """Begin the attempts that are due, as far as threads are free.

        Raises the error of an earlier one whose outcome could not be stored, such as DiskFull; it is made
        again after its lease.
        """
        if not self._reopened:
            self._repository.reopen()
            self._reopened = True
        ended = {attempt for attempt in self._running if attempt.done()}
        self._running -= ended
        for attempt in ended:
            if error := attempt.exception():
                raise error
        free = THREADS - len(self._running)
        if free:
            for webhook in self._repository.due(self._clock(), limit=free):
                if self._repository.claim(webhook, until=self._clock() + LEASE):
                    self._running.add(self._pool.submit(self._attempt, webhook))

    def wait(self) -> None:
        """Wait for the attempts that have begun."""
        wait(self._running)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def _attempt(self, webhook: Webhook) -> None:
        fields = {"task": webhook.task.id, "webhook": webhook.id, "attempt": webhook.attempts + 1}
        try:
            target = self._policy.check(webhook.url)
            address = self._policy.addresses(target)[0]
            content = body(webhook)
            self._post(target, address, content, headers(webhook, content, key=self._key, now=self._clock()))
        except FacecliError as error:
            self._failed(webhook, error, fields)
            return
        _log.info("webhook delivered", extra=fields)
        self._repository.delivered(webhook)

    def _failed(self, webhook: Webhook, error: FacecliError, fields: Mapping[str, object]) -> None:
        if webhook.attempts + 1 >= MAX_ATTEMPTS:
            _log.warning("webhook given up", extra={**fields, "error": error.message})
            self._repository.given_up(webhook, error=error.message)
            return
        delay = min(MAX_DELAY, FIRST_DELAY * 2.0**webhook.attempts)
        _log.warning(
            "webhook failed; will be retried", extra={**fields, "error": error.message, "seconds": delay}
        )
        self._repository.failed(webhook, next_attempt_at=self._clock() + delay, error=error.message)
