"""Opens the database and gives transactions; what it complains about becomes our errors here."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from facecli.core.errors import DiskFull, FacecliError, InvalidInput, StorageFailed, Unavailable
from facecli.metadata.database_url import name_of, parsed

BUSY_TIMEOUT = 30.0  # seconds
_RETRY_AFTER = 30  # seconds; a person has to make room
CONNECTIONS = 32
_WRITES = "facecli_writes"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_FULL = frozenset({sqlite3.SQLITE_FULL, "53100"})  # SQLSTATE disk_full
_DAMAGED = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, "58030", "XX001"})
_REFUSED = frozenset({"25006", "42501", "3F000"})  # a standby, only read; a user who may not; no schema


def open_database(
    url: str,
    *,
    busy_timeout: float = BUSY_TIMEOUT,
    durable: bool = True,
    connections: int = CONNECTIONS,
) -> Engine:
    """The database behind `sqlite:////absolute/path` or `postgresql://…`; `dispose()` closes it.

    `busy_timeout`: seconds to wait for another writer, or for one of the `connections` to be free.
    A commit that returned survives a power cut, when `durable`: SQLite in WAL mode with synchronous=FULL.
    InvalidInput for another kind of URL, Unavailable when the database cannot be opened.
    """
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, busy_timeout, durable, connections)
    return _open_postgresql(address, busy_timeout, durable, connections)


def version(url: str) -> str:
    """What answers there, as `PostgreSQL 15.13 at db.example:5432/facecli`."""
    engine = open_database(url)
    try:
        with reading(engine) as connection:
            number = connection.exec_driver_sql("SHOW server_version").scalar()
        return f"PostgreSQL {number} at {name_of(url)}"
    finally:
        engine.dispose()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the database."""
    options = _SNAPSHOT if engine.dialect.name == "postgresql" else {}
    with translated(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may change rows; durable when this is left."""
    with (
        translated(),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """What a database complains about, in our words; for whoever else uses one as well."""
    try:
        yield
    except NoConnectionFree as error:
        raise Unavailable("every connection to the database is in use; try again") from error
    except DBAPIError as error:
        if known := _error(error):
            raise known from error
        raise


def _open_postgresql(address: URL, busy_timeout: float, durable: bool, connections: int) -> Engine:
    engine = create_engine(
        address,
        pool_size=(connections + 1) // 2,
        max_overflow=connections // 2,
        pool_timeout=busy_timeout,
        pool_pre_ping=True,  # or each connection from before a restart would fail one call
    )
    if durable:
        event.listen(engine, "connect", _wait_for_the_disk)
    try:
        with translated(), engine.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise InvalidInput(f"the database is in {encoding}, which lacks most names; create one in UTF8")
    except BaseException as error:
        engine.dispose()
        if isinstance(error, ProgrammingError):  # of libpq: an option in the URL that it does not know
            raise InvalidInput(f"the database URL cannot be used: {_said(error)}") from error
        raise
    return engine


def _wait_for_the_disk(connection: DBAPIConnection, _: object) -> None:
    """Whatever the database's own default is; a stricter one, as that of a cluster, stays."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _open_sqlite(url: URL, busy_timeout: float, durable: bool, connections: int) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout},
        pool_size=(connections + 1) // 2,
        max_overflow=connections // 2,
        pool_timeout=busy_timeout,
    )

    def set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # or the driver would begin transactions itself, and late
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")

    event.listen(engine, "connect", set_up)
    try:
        with translated(), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    except BaseException:
        engine.dispose()
        raise
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once: one that read first could not get it when another wrote meanwhile."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _error(error: DBAPIError) -> FacecliError | None:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    else:
        code = getattr(error.orig, "sqlstate", None)
    if code in _FULL:
        return DiskFull(
            "the database's disk is full; what was acknowledged is kept", retry_after=_RETRY_AFTER
        )
    if code in _DAMAGED:
        return StorageFailed(f"the database cannot be read or written: {_said(error)}")
    if isinstance(error, DataError) and code is None:  # the driver's own word, without asking the database
        return InvalidInput(f"the database cannot keep this: {_said(error)}")
    # SQLite calls a wrong statement operational too; that one is a bug of ours.
    away = isinstance(error, OperationalError) or error.connection_invalidated or code in _REFUSED
    if code != sqlite3.SQLITE_ERROR and away:
        return Unavailable(f"the database is not available: {_said(error)}")
    return None


def _said(error: DBAPIError) -> str:
    """The database's own words on one line; the statement and its values are not among them."""
    return " ".join(str(error.orig).split())
