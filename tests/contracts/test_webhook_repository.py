"""The contract of every WebhookRepository: due when the task has ended, and until it was notified."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from facecli.core.errors import TaskNotFound
from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import webhooks
from facecli.metadata.task_records.webhooks import NEVER, SqlWebhookRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.webhooks.webhook import Webhook, WebhookRepository
from tests.support.builders import NEW

URL = "https://hooks.example.org/facecli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    tasks: TaskRepository
    webhooks: WebhookRepository

    def end(self) -> None:
        self.tasks.change("t1", transitions.cancel, now=101.0)

    @property
    def view(self) -> tuple[str, int, str] | None:
        found = self.webhooks.view(self.tasks.get("t1"))
        return (found.status, found.attempts, found.error) if found else None

    def due(self, now: float = 200.0) -> list[Webhook]:
        return [*self.webhooks.due(now, limit=10)]


@pytest.fixture
def opened(either_database: str) -> Iterator[Opened]:
    """A database with the pending task `t1`, whose end is to be notified."""
    engine = open_database(either_database)
    schema.upgrade(engine)
    opened = Opened(tasks=SqlTaskRepository(engine), webhooks=SqlWebhookRepository(engine))
    opened.tasks.insert(NEW, task_id="t1", now=100.0)
    opened.webhooks.register("t1", URL)
    yield opened
    engine.dispose()


def test_a_webhook_is_due_when_its_task_has_ended(opened: Opened) -> None:
    assert opened.due() == []
    opened.end()
    (webhook,) = opened.due()
    assert (webhook.task, webhook.url, webhook.id) == (opened.tasks.get("t1"), URL, "t1.1")


def test_one_of_several_servers_makes_an_attempt(opened: Opened) -> None:
    opened.end()
    (webhook,) = opened.due()
    assert opened.webhooks.claim(webhook, until=300.0)
    assert not opened.webhooks.claim(webhook, until=300.0)
    assert opened.due(299.0) == []
    (unfinished,) = opened.due(300.0)
    assert opened.webhooks.claim(unfinished, until=400.0)


def test_a_webhook_is_due_if_its_task_ends_while_it_is_registered(opened: Opened) -> None:
    numbers = range(20)
    for number in numbers:
        opened.tasks.insert(NEW, task_id=f"n{number}", now=100.0)
    with ThreadPoolExecutor(4) as pool:
        for number in numbers:
            pool.submit(opened.tasks.change, f"n{number}", transitions.cancel, now=101.0)
            pool.submit(opened.webhooks.register, f"n{number}", URL)
            pool.submit(opened.webhooks.register, f"n{number}", URL)
    assert len(opened.webhooks.due(200.0, limit=100)) == len(numbers)


def test_a_webhook_that_is_registered_after_the_end_is_due(opened: Opened) -> None:
    opened.tasks.insert(NEW, task_id="t2", now=100.0)
    opened.tasks.change("t2", transitions.cancel, now=101.0)
    opened.webhooks.register("t2", URL)
    assert [each.id for each in opened.due()] == ["t2.1"]


def test_the_index_of_due_webhooks_leads_to_none_of_a_task_that_runs(
    either_database: str, opened: Opened
) -> None:
    engine = open_database(either_database)
    for change in (None, transitions.cancel, transitions.retry):
        if change:
            opened.tasks.change("t1", change, now=101.0)
            for webhook in opened.due():
                opened.webhooks.delivered(webhook)
        with engine.connect() as connection:
            assert connection.execute(select(webhooks.c.next_attempt_at)).scalars().all() == [NEVER]
    engine.dispose()


def test_a_failed_attempt_is_due_again_at_its_time(opened: Opened) -> None:
    opened.end()
    (webhook,) = opened.due()
    opened.webhooks.failed(webhook, next_attempt_at=250.0, error="no answer")
    assert opened.due(249.0) == []
    assert [each.attempts for each in opened.due(250.0)] == [1]
    assert opened.view == ("pending", 1, "no answer")


def test_a_delivered_webhook_is_due_again_only_after_a_retry_of_the_task(opened: Opened) -> None:
    opened.end()
    opened.webhooks.delivered(opened.due()[0])
    opened.webhooks.register("t1", URL)
    assert opened.due() == []
    assert opened.view == ("delivered", 1, "")
    opened.tasks.change("t1", transitions.retry, now=102.0)
    assert opened.due() == []
    opened.end()
    assert [each.id for each in opened.due()] == ["t1.2"]
    assert opened.view == ("pending", 0, "")


def test_one_that_is_given_up_has_failed_and_is_not_due(opened: Opened) -> None:
    assert opened.view == ("pending", 0, "")
    opened.end()
    opened.webhooks.failed(opened.due()[0], next_attempt_at=150.0, error="no answer")
    opened.webhooks.given_up(opened.due()[0], error="moved")
    assert (opened.due(1e12), opened.view) == ([], ("failed", 2, "moved"))
    opened.tasks.insert(NEW, task_id="t2", now=100.0)
    assert opened.webhooks.view(opened.tasks.get("t2")) is None


def test_a_webhook_that_is_settled_after_the_retry_is_due_for_the_next_round(opened: Opened) -> None:
    opened.end()
    (webhook,) = opened.due()
    opened.tasks.change("t1", transitions.retry, now=102.0)
    opened.webhooks.delivered(webhook)
    opened.end()
    assert [each.id for each in opened.due()] == ["t1.2"]


def test_a_webhook_that_a_crash_left_closed_is_reopened(either_database: str, opened: Opened) -> None:
    opened.end()
    opened.webhooks.delivered(opened.due()[0])
    opened.tasks.change("t1", transitions.retry, now=102.0)
    opened.end()
    engine = open_database(either_database)
    with writing(engine) as connection:
        connection.execute(update(webhooks).values(next_attempt_at=NEVER))
    engine.dispose()
    assert opened.due() == []
    assert opened.webhooks.reopen() == 1
    assert [each.id for each in opened.due()] == ["t1.2"]


def test_a_webhook_is_deleted_with_its_task(opened: Opened) -> None:
    opened.end()
    opened.tasks.delete("t1", revision=opened.tasks.get("t1").revision)
    assert opened.due() == []
    with pytest.raises(TaskNotFound):
        opened.webhooks.register("t1", URL)
