"""Add the changes of every user's usage, which triggers write, also for servers of the versions before."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_NONE = "CAST(0 AS BIGINT)"
_USED = {  # by table: what a row of it adds to stored, unfinished and waiting
    "uploads": (
        "COALESCE({row}.size, CAST({row}.total_chunks AS BIGINT) * {row}.chunk_size)",
        "CAST(CASE {row}.status WHEN 'incomplete' THEN 1 ELSE 0 END AS BIGINT)",
        _NONE,
    ),
    "tasks": (
        "COALESCE({row}.result_size + COALESCE({row}.sheet_size, 0), 0)",
        _NONE,
        "CAST(CASE {row}.status WHEN 'pending' THEN 1 ELSE 0 END AS BIGINT)",
    ),
}
_COLUMNS = {  # of which they depend
    "uploads": ("owner", "size", "total_chunks", "chunk_size", "status"),
    "tasks": ("owner", "result_size", "sheet_size", "status"),
}


def upgrade() -> None:
    op.create_table(
        "usage_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
        sa.Column("unfinished", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.BigInteger, nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        # Servers of the version before write: without these locks, neither a trigger nor the sums see them.
        op.execute("LOCK TABLE uploads, tasks IN SHARE ROW EXCLUSIVE MODE")
    for table in _USED:
        (_create_postgresql_triggers if postgresql else _create_sqlite_triggers)(table)
    rows = " UNION ALL ".join(f"SELECT {_used(table, table)} FROM {table}" for table in _USED)
    op.execute(_insert(rows))
    op.create_index("ix_usage_changes_sum", "usage_changes", ["owner", "stored", "unfinished", "waiting"])


def _insert(rows: str) -> str:
    """One change for each owner of the rows, if it changes anything."""
    return (
        "INSERT INTO usage_changes (owner, stored, unfinished, waiting) "
        f"SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM ({rows}) AS used GROUP BY owner "
        "HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0"
    )


def _used(table: str, row: str, *, sign: str = "") -> str:
    stored, unfinished, waiting = (f"{sign}{each.format(row=row)}" for each in _USED[table])
    return f"{row}.owner AS owner, {stored} AS stored, {unfinished} AS unfinished, {waiting} AS waiting"


def _changed(table: str) -> str:
    """The change by an update, in a trigger for a row."""
    return _insert(f"SELECT {_used(table, 'OLD', sign='-')} UNION ALL SELECT {_used(table, 'NEW')}")


def _create_sqlite_triggers(table: str) -> None:
    columns = _COLUMNS[table]
    differs = " OR ".join(f"OLD.{each} IS NOT NEW.{each}" for each in columns)
    for name, event, action in (
        ("insert", "INSERT", _insert(f"SELECT {_used(table, 'NEW')}")),
        ("delete", "DELETE", _insert(f"SELECT {_used(table, 'OLD', sign='-')}")),
        ("update", f"UPDATE OF {', '.join(columns)}", _changed(table)),
    ):
        when = f"WHEN {differs} " if name == "update" else ""
        op.execute(
            f"CREATE TRIGGER usage_{table}_{name} AFTER {event} ON {table} FOR EACH ROW {when}"
            f"BEGIN {action}; END"
        )


def _create_postgresql_triggers(table: str) -> None:
    """For many rows at once where rows come and go; an update changes one row, and seldom counts."""
    for name, action in (
        ("insert", _insert(f"SELECT {_used(table, 'changed')} FROM changed")),
        ("delete", _insert(f"SELECT {_used(table, 'changed', sign='-')} FROM changed")),
        ("update", _changed(table)),
    ):
        op.execute(
            f"CREATE FUNCTION usage_{table}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {action}; RETURN NULL; END $$"
        )
    for name, rows in (("insert", "NEW"), ("delete", "OLD")):
        op.execute(
            f"CREATE TRIGGER usage_{table}_{name} AFTER {name} ON {table} "
            f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION usage_{table}_{name}()"
        )
    columns = _COLUMNS[table]
    old, new = (", ".join(f"{row}.{each}" for each in columns) for row in ("OLD", "NEW"))
    op.execute(
        f"CREATE TRIGGER usage_{table}_update AFTER UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW "
        f"WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION usage_{table}_update()"
    )
