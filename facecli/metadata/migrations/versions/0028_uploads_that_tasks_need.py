"""Add the indexes that find the unfinished tasks that need an upload."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_UNFINISHED = "status IN ('pending', 'processing')"
_NAMING = f"{_UNFINISHED} AND CAST(options AS TEXT) LIKE '%/uploads/%'"


def upgrade() -> None:
    for name, columns, chosen in (
        ("ix_tasks_of_image", ["image_id"], _UNFINISHED),
        ("ix_tasks_of_video", ["video_id"], _UNFINISHED),
        ("ix_tasks_naming", ["owner", "status"], _NAMING),
    ):
        where = sa.text(chosen)
        op.create_index(name, "tasks", columns, sqlite_where=where, postgresql_where=where)
