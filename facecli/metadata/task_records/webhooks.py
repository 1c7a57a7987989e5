"""SqlWebhookRepository: the webhooks of tasks as database rows."""

from collections.abc import Sequence

from sqlalchemy import Engine, insert, select, update

from facecli.core.errors import TaskNotFound
from facecli.metadata.content.task_row import task_of
from facecli.metadata.database import autocommitting, reading, writing
from facecli.metadata.tables import tasks, webhooks
from facecli.tasks.task import UNFINISHED, Task
from facecli.tasks.view import WebhookView
from facecli.webhooks.webhook import Webhook

NEVER = 1e15  # seconds since 1970
_FIELDS = ("url", "attempts", "next_attempt_at", "last_error")


class SqlWebhookRepository:
    """WebhookRepository in a database. `round` of a row is the last round of the task that is settled.

    Its columns `final_…` are of that round, `attempts` and `last_error` of the next one.

    Theory of operation. `next_attempt_at` is `NEVER` while the task has not ended, and when its round is
    settled, so that the index leads to the few rows that may be due. A trigger makes a webhook due in the
    transaction that ends its task, whichever server or worker does. A round may be settled after the next one
    has ended, so that makes it due, too. `reopen` finds those for which a crash left that out.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, task_id: str, url: str) -> None:
        change = update(webhooks).where(webhooks.c.task_id == task_id).values(url=url)
        # The task cannot end before this transaction does, so either this or the trigger makes it due.
        status = select(tasks.c.status).where(tasks.c.id == task_id).with_for_update(key_share=True)
        with writing(self._engine) as connection:
            found = connection.execute(status).scalar()
            if found is None:
                raise TaskNotFound(f"task {task_id} was deleted")
            if not connection.execute(change).rowcount:
                at = NEVER if found in UNFINISHED else 0.0
                connection.execute(insert(webhooks).values(task_id=task_id, url=url, next_attempt_at=at))

    def due(self, now: float, *, limit: int) -> Sequence[Webhook]:
        query = (
            select(tasks, *(webhooks.c[name] for name in _FIELDS))
            .join(webhooks, webhooks.c.task_id == tasks.c.id)
            .where(
                # NOT IN, because an index of the status leads to all ended tasks.
                tasks.c.status.not_in(UNFINISHED),
                webhooks.c.round < tasks.c.round,
                webhooks.c.next_attempt_at <= now,
            )
            .order_by(webhooks.c.next_attempt_at, tasks.c.updated_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [Webhook(task=task_of(row), **{name: row[name] for name in _FIELDS}) for row in rows]

    def reopen(self) -> int:
        with autocommitting(self._engine) as connection:
            return connection.execute(_REOPENING).rowcount

    def claim(self, webhook: Webhook, *, until: float) -> bool:
        same = (webhooks.c.task_id == webhook.task.id, webhooks.c.next_attempt_at == webhook.next_attempt_at)
        with autocommitting(self._engine) as connection:
            return bool(
                connection.execute(update(webhooks).where(*same).values(next_attempt_at=until)).rowcount
            )

    def delivered(self, webhook: Webhook) -> None:
        self._settle(webhook, error="")

    def given_up(self, webhook: Webhook, *, error: str) -> None:
        self._settle(webhook, error=error)

    def view(self, task: Task) -> WebhookView | None:
        query = select(webhooks).where(webhooks.c.task_id == task.id)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        if row["round"] < task.round:
            return WebhookView(status="pending", attempts=row["attempts"], error=row["last_error"])
        status = "failed" if row["final_error"] else "delivered"
        return WebhookView(status=status, attempts=row["final_attempts"], error=row["final_error"])

    def failed(self, webhook: Webhook, *, next_attempt_at: float, error: str) -> None:
        self._record(
            webhook, attempts=webhook.attempts + 1, next_attempt_at=next_attempt_at, last_error=error
        )

    def _settle(self, webhook: Webhook, *, error: str) -> None:
        """End the attempts of this round; the next one begins at 0."""
        self._record(
            webhook,
            round=webhook.task.round,
            attempts=0,
            next_attempt_at=NEVER,
            last_error="",
            final_attempts=webhook.attempts + 1,
            final_error=error,
        )

    def _record(self, webhook: Webhook, **values: object) -> None:
        with autocommitting(self._engine) as connection:
            connection.execute(update(webhooks).where(webhooks.c.task_id == webhook.task.id).values(**values))
            connection.execute(_REOPENING.where(webhooks.c.task_id == webhook.task.id))


_UNSETTLED = select(tasks.c.id).where(
    tasks.c.id == webhooks.c.task_id,
    tasks.c.round > webhooks.c.round,
    tasks.c.status.not_in(UNFINISHED),
)
_REOPENING = (
    update(webhooks)
    .where(webhooks.c.next_attempt_at == NEVER, _UNSETTLED.exists())
    .values(next_attempt_at=0.0)
)
