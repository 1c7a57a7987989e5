"""Assembles the webhooks of a server."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.bootstrap.factories import database_url
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.metadata.database import open_database
from facecli.metadata.task_records.webhooks import SqlWebhookRepository
from facecli.webhooks.service import Webhooks
from facecli.webhooks.targets import TargetPolicy

CONNECTIONS = 5  # to PostgreSQL, beside those of the server: one for each delivery, one for calls
INTERVAL = 1.0  # seconds between two looks for ended tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningWebhooks:
    """The webhooks of a server, and its jobs by their intervals in seconds."""

    service: Webhooks
    jobs: tuple[tuple[float, Callable[[], object]], ...] = ()


@contextmanager
def running_webhooks(settings: Settings, directory: Path) -> Iterator[RunningWebhooks]:
    """Assemble them; leaving the context waits for deliveries that have begun.

    InvalidInput for hosts without a key, or malformed ones.
    """
    policy = TargetPolicy(hosts=settings.notify_hosts, networks=settings.notify_networks)
    if not policy.configured:
        yield RunningWebhooks(service=Webhooks(policy, None))
        return
    if not settings.notify_key:
        raise InvalidInput(
            "notify_hosts needs notify_key, which signs notifications",
            hint="set FACECLI_NOTIFY_KEY to a secret that receivers know, such as of openssl rand -hex 32",
        )
    from facecli.webhooks.delivery import WebhookDelivery  # loads http.client and ssl
    from facecli.webhooks.request import key_bytes

    key = key_bytes(settings.notify_key)
    engine = open_database(
        database_url(settings, directory / "facecli.db"),
        durable=settings.durability == "power",
        connections=CONNECTIONS,
    )
    try:
        repository = SqlWebhookRepository(engine)
        with WebhookDelivery(repository, policy, key=key, clock=time.time) as delivery:
            yield RunningWebhooks(service=Webhooks(policy, repository), jobs=((INTERVAL, delivery.run),))
    finally:
        engine.dispose()
