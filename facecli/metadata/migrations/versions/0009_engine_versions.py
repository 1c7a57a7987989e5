"""Record the version of the engine with every task."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("engine_version", sa.Text, nullable=False, server_default=""))
