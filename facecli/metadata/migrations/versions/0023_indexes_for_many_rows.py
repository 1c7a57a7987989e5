"""Add the indexes that keep every call fast with a million rows."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    same = ["owner", "name", "fingerprint", "total_chunks", "created_at", "id"]
    op.create_index("ix_uploads_same", "uploads", same)
    op.drop_index("ix_uploads_found", "uploads")
    op.create_index("ix_uploads_changed", "uploads", ["updated_at"])
    op.create_index("ix_tasks_of_status", "tasks", ["owner", "status", "created_at", "id"])
    op.create_index("ix_tasks_of_engine", "tasks", ["owner", "engine", "created_at", "id"])
    op.create_index("ix_tasks_of_result", "tasks", ["owner", "result_crc32c", "created_at", "id"])
    op.create_index("ix_tasks_changed", "tasks", ["updated_at", "id"])
    op.create_index("ix_tasks_counted", "tasks", ["status", "engine", "updated_at"])
    op.create_index("ix_webhooks_due", "webhooks", ["next_attempt_at"])
    # Delivered webhooks are not looked at until their tasks are retried.
    op.execute(
        "UPDATE webhooks SET next_attempt_at = 1e15 WHERE round > 0 AND next_attempt_at = 0 "
        "AND round >= (SELECT tasks.round FROM tasks WHERE tasks.id = webhooks.task_id)"
    )
