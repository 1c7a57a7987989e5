"""Migrations only add: a server of the version before goes on beside one that has migrated the database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine.interfaces import ReflectedColumn

from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import metadata
from tests.support.postgres import Postgres

EARLIER = "no server without it is in use"
ALLOWED = {  # by migration: the findings that stop no server, with the reason
    "0007": EARLIER,
    "0008": EARLIER,
    "0025": "the triggers refuse nothing: each adds a row to a table of theirs",
    "0027": "the trigger refuses nothing: it does what servers did before, and earlier",
}
TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    type: str
    nullable: bool
    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Columns and rules of a table. `rules` are everything that can refuse a row of it, in words."""

    columns: Mapping[str, Column]
    rules: frozenset[str]


def forms(connection: Connection) -> dict[str, Form]:
    """All tables by name."""
    inspector = inspect(connection)
    columns = inspector.get_multi_columns()
    rules: dict[str, set[str]] = {str(table): set() for _, table in columns}
    for (_, table), key in inspector.get_multi_pk_constraint().items():
        rules[table].add(f"key {key['constrained_columns']}")
    for (_, table), checks in inspector.get_multi_check_constraints().items():
        rules[table] |= {f"CHECK {each['name']}: {each['sqltext']}" for each in checks}
    for (_, table), uniques in inspector.get_multi_unique_constraints().items():
        rules[table] |= {f"UNIQUE {', '.join(each['column_names'])}" for each in uniques}
    for (_, table), indexes in inspector.get_multi_indexes().items():
        rules[table] |= {
            f"UNIQUE {', '.join(map(str, each['column_names']))}" for each in indexes if each["unique"]
        }
    for (_, table), keys in inspector.get_multi_foreign_keys().items():
        rules[table] |= {f"REFERENCES {each['referred_table']}" for each in keys}
    for trigger, table in connection.execute(text(TRIGGERS[connection.dialect.name])):
        rules[table].add(f"trigger {trigger}")
    return {
        table: Form(columns={each["name"]: _column(each) for each in found}, rules=frozenset(rules[table]))
        for (_, table), found in columns.items()
    }


def _column(reflected: ReflectedColumn) -> Column:
    return Column(
        type=str(reflected["type"]),
        nullable=reflected["nullable"],
        default=reflected["default"] is not None,
    )


def refusals(before: Mapping[str, Form], after: Mapping[str, Form]) -> Iterator[str]:
    """Find each change over which a server that knows the tables as they were `before` would trip."""
    for table, old in before.items():
        new = after.get(table)
        if new is None:
            yield f"{table} is gone"
            continue
        for name, column in old.columns.items():
            changed = new.columns.get(name)
            if changed is None:
                yield f"{table}.{name} is gone"
            elif changed.type != column.type:
                yield f"{table}.{name} was {column.type} and is {changed.type}"
            elif (column.nullable or column.default) and not (changed.nullable or changed.default):
                yield f"{table}.{name} must have a value now"
            elif column.nullable and not changed.nullable:
                yield f"{table}.{name} can no longer be NULL"
        for name in sorted(new.columns.keys() - old.columns.keys()):
            if not (new.columns[name].nullable or new.columns[name].default):
                yield f"{table}.{name} is new, NOT NULL and without a default"
        for rule in sorted(new.rules - old.rules):
            yield f"{table} has a new rule: {rule}"


@pytest.fixture
def empty(either_database: str) -> Iterator[Engine]:
    engine = open_database(either_database)
    yield engine
    engine.dispose()


def test_no_migration_takes_anything_from_a_server_of_the_version_before(empty: Engine) -> None:
    steps = list(ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions())[::-1]
    found, before = {}, dict[str, Form]()
    with writing(empty) as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        with Operations.context(context):
            for step in steps:
                step.module.upgrade()
                after = forms(connection)
                found[step.revision] = list(refusals(before, after))
                before = after
    unlisted = {revision: each for revision, each in found.items() if each and revision not in ALLOWED}
    assert not unlisted, (
        f"{unlisted}: add instead, and remove in a later version, or list the migration with a reason"
    )
    assert [revision for revision in ALLOWED if not found[revision]] == []
    assert len(steps) == int(schema.HEAD)


PLANTED = {  # statements, and what is found
    "ALTER TABLE tokens RENAME TO keys": "tokens is gone",
    "DROP TABLE provenance": "provenance is gone",
    "ALTER TABLE workers RENAME COLUMN pid TO process": (
        "workers.pid is gone; workers.process is new, NOT NULL and without a default"
    ),
    "ALTER TABLE tasks DROP COLUMN frames": "tasks.frames is gone",
    "CREATE UNIQUE INDEX one_url ON webhooks (url)": "webhooks has a new rule: UNIQUE url",
}
PLANTED_IN_POSTGRESQL = {
    **PLANTED,
    "ALTER TABLE workers ADD COLUMN kind TEXT NOT NULL": (
        "workers.kind is new, NOT NULL and without a default"
    ),
    "ALTER TABLE tasks ALTER COLUMN frames DROP DEFAULT": "tasks.frames must have a value now",
    "ALTER TABLE tasks ALTER COLUMN figures SET DEFAULT '{}', ALTER COLUMN figures SET NOT NULL": (
        "tasks.figures can no longer be NULL"
    ),
    "ALTER TABLE tasks ALTER COLUMN frames TYPE BIGINT": "tasks.frames was INTEGER and is BIGINT",
    "ALTER TABLE uploads DROP CONSTRAINT ck_uploads_file_type, "
    "ADD CONSTRAINT ck_uploads_file_type CHECK (file_type = 'video')": (
        "uploads has a new rule: CHECK ck_uploads_file_type: file_type::text = 'video'::text"
    ),
    "ALTER TABLE tokens ADD UNIQUE (sha256)": "tokens has a new rule: UNIQUE sha256",
    "ALTER TABLE tasks ADD FOREIGN KEY (video_id) REFERENCES uploads": (
        "tasks has a new rule: REFERENCES uploads"
    ),
    "ALTER TABLE secrets DROP CONSTRAINT pk_secrets, ADD PRIMARY KEY (name, value)": (
        "secrets has a new rule: key ['name', 'value']"
    ),
    "CREATE TRIGGER refuse BEFORE INSERT ON workers EXECUTE FUNCTION suppress_redundant_updates_trigger()": (
        "workers has a new rule: trigger refuse"
    ),
}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_change_that_breaks_the_version_before_is_found(
    kind: str, engine: Engine, postgres: Postgres
) -> None:
    planted = PLANTED
    if kind == "postgresql":
        planted = PLANTED_IN_POSTGRESQL
        engine = open_database(postgres.new_database())
        schema.upgrade(engine)
    found = {}
    with engine.connect() as connection:
        before = forms(connection)
    for statement in planted:
        with engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text(statement))
            found[statement] = "; ".join(refusals(before, forms(connection)))
            transaction.rollback()
    engine.dispose()
    assert found == planted
