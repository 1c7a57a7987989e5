"""Add covering indexes for the usage of a user (quota)."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_uploads_used", "uploads", ["owner", "status", "size", "total_chunks", "chunk_size"])
    op.create_index("ix_tasks_used", "tasks", ["owner", "status", "result_size"])
