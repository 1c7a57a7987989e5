"""Add the calls that created tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    for name in ("origin_request_id", "origin_traceparent"):
        op.add_column("tasks", sa.Column(name, sa.Text, nullable=False, server_default=""))
