"""Schema migration: `facecli serve` and `facecli token` upgrade the tables at start, others check them.

A new SQLite file gets at once the tables that all migrations together make, in a tenth of their time.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from facecli.core.errors import InvalidInput
from facecli.metadata.database import reading, writing

MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_TABLES = MIGRATIONS / "sqlite.sql"  # written by tests.support.sqlite_tables
SEPARATOR = "\n--\n"  # of its statements
HEAD = max(path.name[:4] for path in MIGRATIONS.glob("versions/[0-9]*.py"))  # files begin with their number

_MIGRATION_LIMITS = {  # of PostgreSQL, in place of those of every session: a large table takes its time
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "60s",
    "statement_timeout": "0",
}
LOCK = 0x66616365  # id of the migration's advisory lock: arbitrary, the same in every process


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables, in one transaction; safe when several processes start at once.

    InvalidInput for a database that a newer facecli has migrated.
    """
    with reading(engine) as connection:
        if _revision(connection) == HEAD:
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            for name, limit in _MIGRATION_LIMITS.items():
                connection.execute(select(func.set_config(name, limit, True)))
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        if (revision := _revision(connection)) == HEAD:
            return
        if engine.dialect.name == "sqlite" and not inspect(connection).get_table_names():
            for statement in SQLITE_TABLES.read_text(encoding="utf-8").split(SEPARATOR):
                connection.exec_driver_sql(statement)
        else:
            run_migrations(connection, revision)


def check(engine: Engine) -> None:
    """Raise InvalidInput if the tables are missing or of another version."""
    with reading(engine) as connection:
        revision = _revision(connection)
    if revision != HEAD:
        raise InvalidInput(
            f"the database has schema {revision or 'none'}, and this facecli needs {HEAD}; "
            + (
                "install the newer facecli that its servers run"
                if (revision or "") > HEAD
                else "start its facecli serve on it first"
            )
        )


def revision(engine: Engine) -> str:
    """The schema of a database; empty for one that no server has used."""
    with reading(engine) as connection:
        return _revision(connection) or ""


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if current is None else str(current)


def run_migrations(connection: Connection, revision: str | None) -> None:
    """Run the migrations that follow a revision; InvalidInput if it is of a newer facecli."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise InvalidInput(
            f"the database was migrated by a newer facecli (schema {revision}, this one knows {HEAD}); "
            "install that version, or restore the backup made before"
        )
    command.upgrade(config, HEAD)
