"""Add the labels and terms of tasks, and the provenance records of results."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("labels", sa.JSON))
    op.add_column("tasks", sa.Column("terms", sa.JSON, nullable=False, server_default="{}"))
    op.create_table(
        "provenance",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("task_id", sa.String(64), nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.CheckConstraint("position > 0", name="position"),
    )
    op.create_index("ix_provenance_task", "provenance", ["task_id", "position"])
