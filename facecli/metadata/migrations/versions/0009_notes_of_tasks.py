"""Add the notes of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("notes", sa.JSON, nullable=False, server_default="[]"))
