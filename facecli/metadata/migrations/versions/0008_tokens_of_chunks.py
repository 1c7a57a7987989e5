"""Name the bytes of a chunk by a token of the blob store instead of a position in a file.

The token of the local store is the position in decimal digits, so stored chunks keep their bytes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE chunks DROP CONSTRAINT ck_chunks_place")
        op.execute("ALTER TABLE chunks ALTER COLUMN position TYPE TEXT USING position::text")
        op.execute("ALTER TABLE chunks RENAME COLUMN position TO token")
        op.create_check_constraint("stored", "chunks", "size > 0 AND token <> ''")
        return
    # SQLite cannot change the type of a column, and a number's affinity would turn tokens into numbers.
    op.execute("ALTER TABLE chunks RENAME TO chunks_before")
    op.create_table(
        "chunks",
        sa.Column(
            "upload_id", sa.String(64), sa.ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("crc32c", sa.BigInteger, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.CheckConstraint("size > 0 AND token <> ''", name="stored"),
        sqlite_with_rowid=False,
    )
    op.execute(
        'INSERT INTO chunks (upload_id, "index", size, crc32c, token) '
        'SELECT upload_id, "index", size, crc32c, CAST(position AS TEXT) FROM chunks_before'
    )
    op.execute("DROP TABLE chunks_before")
