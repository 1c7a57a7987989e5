"""Let a webhook become due when its task ends, by a trigger, also for servers of the versions before."""

from alembic import op

revision = "0027"
down_revision = "0026"

_UNFINISHED = "('pending', 'processing')"
_NEVER = "1e15"
_ENDS = f"OLD.status IN {_UNFINISHED} AND NEW.status NOT IN {_UNFINISHED}"
_DUE = "UPDATE webhooks SET next_attempt_at = 0 WHERE task_id = NEW.id AND round < NEW.round"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION webhook_due() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_DUE}; RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER webhook_due AFTER UPDATE OF status ON tasks FOR EACH ROW "
            f"WHEN ({_ENDS}) EXECUTE FUNCTION webhook_due()"
        )
    else:
        op.execute(
            "CREATE TRIGGER webhook_due AFTER UPDATE OF status ON tasks FOR EACH ROW "
            f"WHEN {_ENDS} BEGIN {_DUE}; END"
        )
    op.execute(
        f"UPDATE webhooks SET next_attempt_at = {_NEVER} WHERE next_attempt_at = 0 "
        f"AND task_id IN (SELECT id FROM tasks WHERE status IN {_UNFINISHED})"
    )
