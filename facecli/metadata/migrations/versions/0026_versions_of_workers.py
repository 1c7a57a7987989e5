"""Add the versions of workers."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("workers", sa.Column("version", sa.Text, nullable=False, server_default=""))
