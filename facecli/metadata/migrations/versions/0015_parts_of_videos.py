"""Add the part of the video that a task swaps."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("part_start", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("part_end", sa.BigInteger))
