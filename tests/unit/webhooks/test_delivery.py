"""Deliveries to a real receiver, which fails, is slow, redirects, or is where it must not be."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facecli.certificates import make_dev_certificates
from facecli.core.errors import DiskFull
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.task_records.webhooks import SqlWebhookRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.task import Task
from facecli.webhooks.delivery import LEASE, MAX_ATTEMPTS, WebhookDelivery
from facecli.webhooks.post import post
from facecli.webhooks.targets import TargetPolicy
from facecli.webhooks.webhook import Webhook
from tests.support.builders import NEW
from tests.unit.webhooks.conftest import Receiver, served

KEY = b"a key of a test."


@dataclass(slots=True)
class Deliveries:
    """Webhooks of the cancelled task `t1`, and a clock that a test sets."""

    repository: SqlWebhookRepository
    task: Task
    engine: Engine
    now: float = 1000.0
    addresses: Sequence[str] = ("127.0.0.1",)
    networks: str = "127.0.0.0/8"
    delivery: WebhookDelivery = field(init=False)

    def run(self, repository: SqlWebhookRepository | None = None, *, wait: bool = False) -> None:
        """Make the attempts that are due, as a server does that has just been started."""
        policy = TargetPolicy(
            hosts="hooks.test", networks=self.networks, resolve=lambda host, port: self.addresses
        )
        short = partial(post, timeout=0.5)
        with WebhookDelivery(
            repository or self.repository, policy, key=KEY, clock=lambda: self.now, post=short
        ) as delivery:
            delivery.run()
            if wait:
                delivery.wait()
            delivery.run()  # finds nothing that is not claimed

    @property
    def waits(self) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        due = self.repository.due(1e12, limit=1)
        return due[0].next_attempt_at - self.now if due else None

    @property
    def view(self) -> tuple[str, int, str]:
        """The notification as a client sees it."""
        view = self.repository.view(self.task)
        assert view
        return view.status, view.attempts, view.error

    def error(self) -> str:
        return self.repository.due(1e12, limit=1)[0].last_error


@pytest.fixture
def deliveries(tmp_path: Path, receiver: Receiver) -> Iterator[Deliveries]:
    engine = open_database(f"sqlite:///{tmp_path}/facecli.db")
    schema.upgrade(engine)
    tasks = SqlTaskRepository(engine)
    tasks.insert(NEW, task_id="t1", now=100.0)
    repository = SqlWebhookRepository(engine)
    repository.register("t1", receiver.url)
    deliveries = Deliveries(repository, tasks.change("t1", transitions.cancel, now=101.5), engine)
    yield deliveries
    engine.dispose()


def test_a_notification_is_signed_and_says_how_the_task_ended(
    deliveries: Deliveries, receiver: Receiver
) -> None:
    deliveries.run()
    ((headers, content),) = receiver.received
    event = json.loads(content)
    assert (event["type"], event["timestamp"]) == ("task.cancelled", "1970-01-01T00:01:41.500Z")
    assert (event["data"]["task_id"], event["data"]["status"]) == ("t1", "cancelled")
    assert headers["host"] == f"hooks.test:{receiver.port}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("t1.1", "1000")
    signature = hmac.new(KEY, b"t1.1.1000." + content, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(signature).decode()}"
    assert deliveries.waits is None
    assert deliveries.view == ("delivered", 1, "")


def test_a_receiver_that_fails_five_times_is_notified_with_backoff_over_restarts(
    deliveries: Deliveries, receiver: Receiver
) -> None:
    receiver.answer(500, 503, 404, 429, 500)
    pauses = []
    for _ in range(5):
        deliveries.run()
        assert deliveries.waits is not None
        pauses.append(deliveries.waits)
        deliveries.run()  # nothing is due yet
        deliveries.now += deliveries.waits
    assert deliveries.view == ("pending", 5, "hooks.test answered with status 500")
    deliveries.run()
    assert pauses == [1, 2, 4, 8, 16]
    assert len(receiver.received) == 6
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {"t1.1"}
    assert deliveries.waits is None
    assert deliveries.view == ("delivered", 6, "")


def test_a_receiver_that_never_answers_ends_the_attempt(deliveries: Deliveries, receiver: Receiver) -> None:
    receiver.answer(0)
    deliveries.run()
    assert deliveries.error() == "hooks.test did not answer within 0.5 s"
    assert deliveries.waits == 1


def test_a_redirect_is_not_followed(deliveries: Deliveries, receiver: Receiver) -> None:
    receiver.location = f"http://127.0.0.1:{receiver.port}/"
    receiver.answer(307)
    deliveries.run()
    assert len(receiver.received) == 1
    assert deliveries.error() == "hooks.test answered with status 307; redirects are not followed"


def test_a_name_that_is_moved_to_a_private_address_is_not_connected_to(
    deliveries: Deliveries, receiver: Receiver
) -> None:
    deliveries.networks = ""
    deliveries.run()
    assert receiver.received == []
    assert "hooks.test is at 127.0.0.1" in deliveries.error()


def test_a_receiver_that_fails_for_ever_is_given_up(deliveries: Deliveries, receiver: Receiver) -> None:
    deliveries.addresses = ()
    for _ in range(MAX_ATTEMPTS):
        deliveries.run()
        deliveries.now += 3600
    assert deliveries.waits is None
    assert deliveries.now - 1000 > 86400
    assert deliveries.view == ("failed", MAX_ATTEMPTS, "the name hooks.test has no address")


def test_a_delivery_whose_outcome_is_lost_is_made_again_after_its_lease_with_the_same_key(
    deliveries: Deliveries, receiver: Receiver
) -> None:
    class Full(SqlWebhookRepository):
        def delivered(self, webhook: Webhook) -> None:  # what a kill does not record, either
            raise DiskFull

    with pytest.raises(DiskFull):
        deliveries.run(Full(deliveries.engine), wait=True)
    deliveries.now += LEASE - 1
    deliveries.run()
    assert deliveries.view == ("pending", 0, "")
    deliveries.now += 1
    deliveries.run()
    assert [headers["webhook-id"] for headers, _ in receiver.received] == ["t1.1", "t1.1"]
    assert deliveries.view == ("delivered", 1, "")


def test_a_receiver_by_https_needs_a_certificate_of_a_trusted_ca(
    deliveries: Deliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_dev_certificates(tmp_path / "tls", hosts=["hooks.test"], user="ann")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.server_key)
    with served(Receiver(), context) as receiver:
        deliveries.repository.register("t1", receiver.url)
        deliveries.run()
        assert "certificate verify failed" in deliveries.error()
        assert receiver.received == []
        deliveries.now += 1
        monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
        deliveries.run()
        assert len(receiver.received) == 1
        assert deliveries.view == ("delivered", 2, "")
