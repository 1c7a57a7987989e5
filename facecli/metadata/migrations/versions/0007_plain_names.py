"""Rename columns to the terms that the code uses."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks RENAME COLUMN deaths TO crashes")
    op.execute("ALTER TABLE workers RENAME COLUMN place TO data_dir_id")
    op.execute("ALTER TABLE workers RENAME COLUMN beat TO heartbeats")
