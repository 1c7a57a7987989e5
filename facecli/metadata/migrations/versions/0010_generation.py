"""Add the generation of data directories, which shows that a database is older than the files."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("directories", sa.Column("generation", sa.BigInteger, nullable=False, server_default="0"))
