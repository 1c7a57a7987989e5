"""Add the data directories that belong to this database."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("directories", sa.Column("id", sa.String(64), primary_key=True))
