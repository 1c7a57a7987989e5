"""Add the contact sheets of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("sheet_blob_key", sa.Text))
    op.add_column("tasks", sa.Column("sheet_size", sa.BigInteger))
    op.add_column("tasks", sa.Column("sheet_crc32c", sa.BigInteger))
    op.drop_index("ix_tasks_used", "tasks")
    op.create_index("ix_tasks_used", "tasks", ["owner", "status", "result_size", "sheet_size"])
