"""Add what decides which pending task runs next: its priority, and the turns of its owner."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"))
    columns = ["status", "owner", "priority", "created_at", "id", "engine"]
    op.create_index("ix_tasks_waiting", "tasks", columns)
    op.create_index("ix_tasks_turns", "tasks", ["turn"])
    claimed = sa.text("status <> 'pending'")
    op.create_index(
        "ix_tasks_served", "tasks", ["owner", "turn"], sqlite_where=claimed, postgresql_where=claimed
    )
