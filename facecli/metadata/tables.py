"""Database tables. Times are seconds since 1970, sizes are bytes, statuses are the enums' values."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from facecli.metadata.content.partial_index import NAMES_UPLOAD, NOT_PENDING, UNFINISHED, partial_index

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("blob_key", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("file_type", String(16), nullable=False),
    Column("size", BigInteger),
    Column("chunk_size", Integer, nullable=False),
    Column("total_chunks", Integer, nullable=False),
    Column("fingerprint", BigInteger),
    Column("status", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("stored_chunks", Integer, nullable=False),
    Column("crc32c", BigInteger),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    CheckConstraint("file_type IN ('image', 'video')", name="file_type"),
    CheckConstraint("status IN ('incomplete', 'completed')", name="status"),
    CheckConstraint("stored_chunks BETWEEN 0 AND total_chunks", name="stored_chunks"),
    CheckConstraint("stored_bytes >= 0 AND (size IS NULL OR stored_bytes <= size)", name="stored_bytes"),
    CheckConstraint(
        "status <> 'completed' "
        "OR (size = stored_bytes AND stored_chunks = total_chunks AND crc32c IS NOT NULL)",
        name="complete",
    ),
    Index("ix_uploads_listed", "owner", "created_at", "id"),
    Index("ix_uploads_same", "owner", "name", "fingerprint", "total_chunks", "created_at", "id"),
    Index("ix_uploads_changed", "updated_at"),
    Index("ix_uploads_expired", "status", "expires_at"),
    Index("ix_uploads_used", "owner", "status", "size", "total_chunks", "chunk_size"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("upload_id", String(64), ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("crc32c", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    CheckConstraint("size > 0 AND token <> ''", name="stored"),
    sqlite_with_rowid=False,
)

tails = Table(
    "upload_tails",
    metadata,
    Column("upload_id", String(64), ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("image_id", String(64), nullable=False),
    Column("video_id", String(64), nullable=False),
    Column("image_url", Text, nullable=False),
    Column("video_url", Text, nullable=False),
    Column("key", Text),
    Column("result_blob_key", Text),
    Column("result_size", BigInteger),
    Column("result_crc32c", BigInteger),
    Column("error_reason", Text, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("frames_done", Integer, nullable=False, server_default="0"),
    Column("frames", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("engine_version", Text, nullable=False, server_default=""),
    Column("notes", JSON, nullable=False, server_default="[]"),
    Column("part_start", BigInteger, nullable=False, server_default="0"),
    Column("part_end", BigInteger),
    Column("figures", JSON(none_as_null=True)),
    Column("sheet_blob_key", Text),
    Column("sheet_size", BigInteger),
    Column("sheet_crc32c", BigInteger),
    Column("labels", JSON(none_as_null=True)),
    Column("terms", JSON, nullable=False, server_default="{}"),
    Column("priority", Integer, nullable=False, server_default="0"),  # lower ones run first
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("origin_request_id", Text, nullable=False, server_default=""),
    Column("origin_traceparent", Text, nullable=False, server_default=""),
    UniqueConstraint("owner", "key"),  # idempotency of CreateTask
    CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint(
        "(status = 'completed') = (result_blob_key IS NOT NULL AND result_size IS NOT NULL "
        "AND result_crc32c IS NOT NULL)",
        name="result",
    ),
    Index("ix_tasks_listed", "owner", "created_at", "id"),
    Index("ix_tasks_status", "status", "created_at"),
    Index("ix_tasks_of_status", "owner", "status", "created_at", "id"),
    Index("ix_tasks_of_engine", "owner", "engine", "created_at", "id"),
    Index("ix_tasks_of_result", "owner", "result_crc32c", "created_at", "id"),
    Index("ix_tasks_changed", "updated_at", "id"),
    Index("ix_tasks_counted", "status", "engine", "updated_at"),
    Index("ix_tasks_used", "owner", "status", "result_size", "sheet_size"),
    Index("ix_tasks_waiting", "status", "owner", "priority", "created_at", "id", "engine"),
    Index("ix_tasks_turns", "turn"),
    partial_index("ix_tasks_served", "owner", "turn", where=NOT_PENDING),
    partial_index("ix_tasks_of_image", "image_id", where=UNFINISHED),
    partial_index("ix_tasks_of_video", "video_id", where=UNFINISHED),
    partial_index("ix_tasks_naming", "owner", "status", where=f"{UNFINISHED} AND {NAMES_UPLOAD}"),
)

task_logs = Table(
    "task_logs",
    metadata,
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("level", String(16), nullable=False),
    Column("logger", Text, nullable=False),
    Column("text", Text, nullable=False),
    CheckConstraint("position > 0", name="position"),
    sqlite_with_rowid=False,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Double, nullable=False, server_default="0"),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("final_attempts", Integer, nullable=False, server_default="0"),
    Column("final_error", Text, nullable=False, server_default=""),
    Index("ix_webhooks_due", "next_attempt_at"),
)

directories = Table(
    "directories",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("generation", BigInteger, nullable=False, server_default="0"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("data_dir_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("heartbeats", BigInteger, nullable=False),
    Column("engines", JSON, nullable=False, server_default="[]"),
    Column("version", Text, nullable=False, server_default=""),
)

provenance = Table(
    "provenance",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("task_id", String(64), nullable=False),  # also of a task that was deleted since
    Column("time", Double, nullable=False),
    Column("record", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    CheckConstraint("position > 0", name="position"),
    Index("ix_provenance_task", "task_id", "position"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

usage_changes = Table(  # written by triggers on uploads and tasks: migration 0025
    "usage_changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("owner", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("stored", "unfinished", "waiting")),
    Index("ix_usage_changes_sum", "owner", "stored", "unfinished", "waiting"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("user", Text, nullable=False),
    Column("admin", Boolean, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)
