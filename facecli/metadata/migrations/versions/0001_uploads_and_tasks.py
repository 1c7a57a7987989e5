"""Create uploads, chunks and tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("blob_key", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_type", sa.String(16), nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("chunk_size", sa.Integer, nullable=False),
        sa.Column("total_chunks", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.BigInteger),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("stored_bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_chunks", sa.Integer, nullable=False),
        sa.Column("crc32c", sa.BigInteger),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.CheckConstraint("file_type IN ('image', 'video')", name="file_type"),
        sa.CheckConstraint("status IN ('incomplete', 'completed')", name="status"),
        sa.CheckConstraint("stored_chunks BETWEEN 0 AND total_chunks", name="stored_chunks"),
        sa.CheckConstraint(
            "stored_bytes >= 0 AND (size IS NULL OR stored_bytes <= size)", name="stored_bytes"
        ),
        sa.CheckConstraint(
            "status <> 'completed' "
            "OR (size = stored_bytes AND stored_chunks = total_chunks AND crc32c IS NOT NULL)",
            name="complete",
        ),
    )
    op.create_index("ix_uploads_listed", "uploads", ["owner", "created_at", "id"])
    op.create_index("ix_uploads_found", "uploads", ["owner", "name"])
    op.create_index("ix_uploads_expired", "uploads", ["status", "expires_at"])
    op.create_table(
        "chunks",
        sa.Column(
            "upload_id", sa.String(64), sa.ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("crc32c", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.CheckConstraint("size > 0 AND position >= 0", name="place"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("video_id", sa.String(64), nullable=False),
        sa.Column("image_url", sa.Text, nullable=False),
        sa.Column("video_url", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("result_blob_key", sa.Text),
        sa.Column("result_size", sa.BigInteger),
        sa.Column("result_crc32c", sa.BigInteger),
        sa.Column("error_reason", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.UniqueConstraint("owner", "key"),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        sa.CheckConstraint(
            "(status = 'completed') = (result_blob_key IS NOT NULL AND result_size IS NOT NULL "
            "AND result_crc32c IS NOT NULL)",
            name="result",
        ),
    )
    op.create_index("ix_tasks_listed", "tasks", ["owner", "created_at", "id"])
    op.create_index("ix_tasks_status", "tasks", ["status", "created_at"])
