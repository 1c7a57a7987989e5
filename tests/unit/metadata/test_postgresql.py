"""Requirements on a PostgreSQL, and the errors when it does not meet them or goes away."""

import signal
import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text

from facecli.core.errors import DiskFull, FacecliError, InvalidInput, Unavailable, UploadNotFound
from facecli.metadata import schema
from facecli.metadata.database import open_database, reading, writing
from facecli.metadata.database_url import display_name
from facecli.metadata.tables import uploads
from facecli.metadata.uploads import SqlUploadRepository
from tests.support.e2e.disks import Ballast, tmpfs
from tests.support.e2e.requirements import needs
from tests.support.postgres import PASSWORD, Postgres, WithPassword
from tests.support.upload_repository import insert


@pytest.fixture
def engine(postgresql: str) -> Iterator[Engine]:
    engine = open_database(postgresql)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def database(url: str) -> str:
    return url.split("?")[0].rpartition("/")[2]


def refused(url: str) -> FacecliError:
    with pytest.raises(FacecliError) as caught:
        open_database(url).dispose()
    return caught.value


@pytest.mark.parametrize("durable", [True, False])
def test_commits_are_synchronous_whatever_the_default_of_the_database(
    postgres: Postgres, postgresql: str, durable: bool
) -> None:
    off = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")
    postgres.execute(off.format(sql.Identifier(database(postgresql))))
    engine = open_database(postgresql, durable=durable)
    with reading(engine) as first, reading(engine) as second:
        waits = [each.execute(text("SHOW synchronous_commit")).scalar() for each in (first, second)]
    assert waits == ["on" if durable else "off"] * 2
    engine.dispose()


def test_a_connection_in_use_when_the_database_is_closed_is_closed_afterwards(either_database: str) -> None:
    engine = open_database(either_database)
    with reading(engine) as connection:
        used = connection.connection.dbapi_connection
        assert used
        engine.dispose()
        assert connection.execute(text("SELECT 1")).scalar() == 1
    with pytest.raises((psycopg.OperationalError, sqlite3.ProgrammingError), match="closed"):
        used.cursor().execute("SELECT 1")


def test_a_stricter_synchronous_commit_is_kept(postgres: Postgres, postgresql: str) -> None:
    stricter = sql.SQL("ALTER DATABASE {} SET synchronous_commit = remote_apply")
    postgres.execute(stricter.format(sql.Identifier(database(postgresql))))
    engine = open_database(postgresql)
    with reading(engine) as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "remote_apply"
    engine.dispose()


def test_a_read_transaction_sees_one_snapshot_and_cannot_write(engine: Engine) -> None:
    repository = SqlUploadRepository(engine)
    insert(repository)
    with reading(engine) as connection:
        before = connection.execute(text("SELECT epoch FROM uploads")).scalar()
        repository.claim("u1", now=1, expires_at=2)
        assert connection.execute(text("SELECT epoch FROM uploads")).scalar() == before
    assert repository.get("u1").epoch == 1
    with pytest.raises(Unavailable, match="read-only"), reading(engine) as connection:
        connection.execute(uploads.delete())


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT], ids=["immediate", "fast"])
def test_a_restart_fails_only_the_calls_made_meanwhile(
    postgres: Postgres, engine: Engine, how: signal.Signals
) -> None:
    repository = SqlUploadRepository(engine)
    insert(repository)
    with pytest.raises(Unavailable) as caught, writing(engine) as connection:
        connection.execute(uploads.delete())
        postgres.stop(how)
        try:
            connection.execute(text("SELECT 1"))
        finally:
            postgres.start()
    assert caught.value.retryable
    assert repository.get("u1").epoch == 0
    postgres.stop(how)
    with pytest.raises(Unavailable, match="No such file"):
        repository.get("u1")
    postgres.start()
    assert repository.claim("u1", now=1, expires_at=2).epoch == 1


def test_a_missing_database_is_named(postgres: Postgres) -> None:
    error = refused(postgres.url("nope"))
    assert isinstance(error, Unavailable)
    assert 'database "nope" does not exist' in error.message


def test_a_wrong_password_is_reported_and_never_printed(with_password: WithPassword, postgresql: str) -> None:
    error = refused(with_password(postgresql).replace(PASSWORD, "falsch"))
    assert 'password authentication failed for user "ann"' in error.message
    assert "falsch" not in error.message


def test_too_many_connections_are_unavailable(
    postgres: Postgres, with_password: WithPassword, postgresql: str
) -> None:
    postgres.execute(sql.SQL("ALTER ROLE ann CONNECTION LIMIT 0"))
    error = refused(with_password(postgresql))
    assert isinstance(error, Unavailable)
    assert 'too many connections for role "ann"' in error.message
    postgres.execute(sql.SQL("ALTER ROLE ann CONNECTION LIMIT -1"))
    open_database(with_password(postgresql)).dispose()


def test_a_missing_permission_to_create_tables_is_reported(
    with_password: WithPassword, postgresql: str
) -> None:
    engine = open_database(with_password(postgresql))
    with pytest.raises(Unavailable, match="permission denied for schema public"):
        schema.upgrade(engine)
    engine.dispose()


def test_a_database_that_is_not_utf8_is_refused(postgres: Postgres) -> None:
    postgres.execute(sql.SQL("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0"))
    error = refused(postgres.url("narrow"))
    assert isinstance(error, InvalidInput)
    assert "LATIN1" in error.message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:geheim@host", "names no database"),
        ("postgresql://ann:ge@heim@host/x", "write it as %40"),
        ("postgresql://ann:geheim@host:heim/x", "looks like postgresql://"),
        ("postgresql://ann:geheim@/x?geh=eim&host=/nowhere", 'invalid connection option "geh"'),
        ("mysql://ann:geheim@host/x", "'mysql' are not supported"),
    ],
)
def test_an_invalid_url_is_refused_without_quoting_it(url: str, expected: str) -> None:
    error = refused(url)
    assert isinstance(error, InvalidInput)
    assert expected in error.message
    assert "heim" not in error.message


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ann:geheim@db.example/facecli", "db.example:5432/facecli"),
        ("postgres://ann:geheim@db.example:99/facecli?sslmode=require", "db.example:99/facecli"),
        ("postgresql:///facecli?host=/run/postgresql&password=geheim", "/run/postgresql:5432/facecli"),
        ("postgresql:///facecli?host=one&host=two&port=1&port=2", "one,two:1,2/facecli"),
    ],
)
def test_the_display_name_has_no_secrets(url: str, name: str) -> None:
    assert display_name(url) == name


def test_a_text_that_postgresql_cannot_store_is_invalid_input(engine: Engine) -> None:
    with pytest.raises((InvalidInput, UploadNotFound)):
        SqlUploadRepository(engine).get("u\0")


@needs("tmpfs")
def test_a_full_disk_of_postgresql_is_reported_and_recovers(postgres: Postgres) -> None:
    disk = postgres.folder / "disk"
    with tmpfs(disk, size="64m"):
        place = postgres.own(disk / "tables")
        postgres.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(place))))
        postgres.execute(sql.SQL("CREATE DATABASE small TABLESPACE small"))
        engine = open_database(postgres.url("small"))
        schema.upgrade(engine)
        repository, ballast = SqlUploadRepository(engine), Ballast(disk)
        insert(repository, upload_id="before")
        ballast.fill()
        with pytest.raises(DiskFull) as caught:
            for number in range(1000):
                insert(repository, upload_id=f"u{number}")
        assert caught.value.retry_after > 0
        stored = len(repository.listed("ann", limit=1000, before=""))
        ballast.free()
        insert(repository, upload_id="roomy")
        assert len(repository.listed("ann", limit=1000, before="")) == stored + 1
        engine.dispose()
        postgres.execute(sql.SQL("DROP DATABASE small"))
        postgres.execute(sql.SQL("DROP TABLESPACE small"))
