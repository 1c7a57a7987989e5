"""The usage that triggers keep is the sum over the rows, whatever has happened to them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Delete, Engine, Insert, Update, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from facecli.maintenance.usage import usage_damage
from facecli.metadata import schema
from facecli.metadata.content.task_row import row_of
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import tasks, uploads, usage_changes
from facecli.metadata.usage import MOST_CHANGES, SqlUsageRepository
from facecli.uploads.quota import Usage
from tests.support.builders import task, upload
from tests.unit.metadata.test_migrations import TASK, UPLOAD, migrate
from tests.unit.metadata.test_migrations import insert as insert_row

Statement = Insert | Update | Delete
IDS = st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, unique=True)
OWNERS = st.sampled_from(["ann", "bob"])
SIZES = st.none() | st.integers(1, 2**50)
COUNTS = st.integers(1, 2**31 - 1)
UPLOADS = {"owner": OWNERS, "size": SIZES, "chunk_size": COUNTS, "total_chunks": COUNTS, "epoch": COUNTS}
STATUSES = st.sampled_from(["pending", "processing", "failed"])
TASKS = {"owner": OWNERS, "sheet_size": SIZES, "status": STATUSES, "revision": COUNTS}
NEW_UPLOAD = asdict(upload()) | {
    "stored_bytes": 0,
    "stored_chunks": 0,
    "status": "incomplete",
    "crc32c": None,
}
NEW_TASK = row_of(task()) | {"key": None}
COMPLETE_UPLOAD = {
    "status": "completed",
    **dict.fromkeys(("size", "stored_bytes", "stored_chunks", "total_chunks", "crc32c"), 1),
}
COMPLETE_TASK = {"status": "completed", "result_size": 2**50, "result_blob_key": "r", "result_crc32c": 1}


def some_of(fields: Mapping[str, st.SearchStrategy[object]]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields).filter(bool)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """A statement about some rows of a table; the table may refuse it."""
    table, fields, new, complete = draw(
        st.sampled_from(
            [(uploads, UPLOADS, NEW_UPLOAD, COMPLETE_UPLOAD), (tasks, TASKS, NEW_TASK, COMPLETE_TASK)]
        )
    )
    ids = draw(IDS)
    rows = table.c.id.in_(ids)
    match draw(st.sampled_from(["insert", "insert", "update", "complete", "delete"])):
        case "insert":
            return insert(table).values(
                [{**new, **draw(st.fixed_dictionaries(fields)), "id": each} for each in ids]
            )
        case "update":
            return update(table).where(rows).values(draw(some_of(fields)))
        case "complete":
            return update(table).where(rows).values(complete)
        case _:
            return delete(table).where(rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(given_statements=st.lists(statements(), min_size=1, max_size=12))
def test_the_usage_is_the_sum_over_the_rows(
    either_engine: Engine, given_statements: Sequence[Statement]
) -> None:
    usage = SqlUsageRepository(either_engine)
    for statement in given_statements:
        with suppress(IntegrityError), writing(either_engine) as connection:
            connection.execute(statement)
    assert usage.wrong() == {}
    for owner in ("ann", "bob"):
        assert min(vars_of(usage.of(owner))) >= 0


def vars_of(used: Usage) -> tuple[int, int, int]:
    return used.stored, used.unfinished, used.waiting


@pytest.fixture
def usage(either_engine: Engine) -> Iterator[SqlUsageRepository]:
    """The usage of two users with uploads; that of ann has many changes."""
    with writing(either_engine) as connection:
        for number in range(MOST_CHANGES + 1):
            row = {**NEW_UPLOAD, "id": str(number), "owner": "ann", "size": 2}
            connection.execute(insert(uploads).values(row))
        connection.execute(insert(uploads).values({**NEW_UPLOAD, "id": "b", "owner": "bob", "size": 5}))
    yield SqlUsageRepository(either_engine)


def changes(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(usage_changes)).scalar_one()


def test_many_changes_of_an_owner_become_one(usage: SqlUsageRepository, either_engine: Engine) -> None:
    used = usage.of("ann")
    assert (used.stored, used.unfinished) == (2 * (MOST_CHANGES + 1), MOST_CHANGES + 1)
    assert (changes(either_engine), usage.compact(), usage.compact()) == (MOST_CHANGES + 2, 1, 0)
    assert (changes(either_engine), usage.of("ann"), usage.wrong()) == (2, used, {})


def test_a_wrong_usage_is_found_and_corrected(usage: SqlUsageRepository, either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        drift = insert(usage_changes).values(stored=-3, unfinished=1, waiting=2)
        connection.execute(drift.values(owner="bob"))
        connection.execute(drift.values(owner="nobody"))
    found = {damage.id: damage for damage in usage_damage(usage)}
    assert found.keys() == {"usage of bob", "usage of nobody"}
    assert found["usage of bob"].problem == (
        "the quota counts 2 bytes, 2 unfinished uploads and 2 waiting tasks; "
        "there are 5 bytes, 1 unfinished uploads and 0 waiting tasks"
    )
    with writing(either_engine) as connection:  # meanwhile
        connection.execute(delete(uploads).where(uploads.c.id == "b"))
    for damage in found.values():
        assert damage.repair
        damage.repair()
    assert usage.wrong() == {}
    assert vars_of(usage.of("bob")) == (0, 0, 0)


def test_changes_and_sums_at_the_same_time_lose_nothing(
    usage: SqlUsageRepository, either_engine: Engine
) -> None:
    def work(number: int) -> None:
        for each in range(number, MOST_CHANGES, 4):
            with writing(either_engine) as connection:
                connection.execute(update(uploads).where(uploads.c.id == str(each)).values(size=7))
                connection.execute(delete(uploads).where(uploads.c.id == str(each + 1)))
            usage.compact()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert usage.wrong() == {}


def test_rows_of_servers_before_and_after_the_migration_count(either_database: str) -> None:
    engine = open_database(either_database)
    migrate(engine, "0024")
    with writing(engine) as connection:
        insert_row(connection, "uploads", UPLOAD)
        insert_row(connection, "tasks", {**TASK, "status": "pending"})
    schema.upgrade(engine)
    with writing(engine) as connection:  # as a server does that knows nothing of the usage
        insert_row(connection, "tasks", {**TASK, "id": "t2", "status": "pending"})
    usage = SqlUsageRepository(engine)
    assert vars_of(usage.of("ann")) == (UPLOAD["size"], 1, 2)
    assert usage.wrong() == {}
    engine.dispose()
