"""Add the outcomes of webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("final_attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("webhooks", sa.Column("final_error", sa.Text, nullable=False, server_default=""))
