"""Add the notes of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("notes", sa.JSON, nullable=False, server_default="[]"))
