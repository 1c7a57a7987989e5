"""Add the frame counts of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name in ("frames_done", "frames"):
        op.add_column("tasks", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
