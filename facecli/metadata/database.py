"""Connections and transactions of SQLite and PostgreSQL, with translated errors."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry

from facecli.core.errors import DiskFull, FacecliError, InvalidInput, StorageFailed, Unavailable
from facecli.metadata.database_url import display_name, parse_url

BUSY_TIMEOUT = 30.0  # seconds
_RETRY_AFTER = 30  # seconds; an operator has to free space
CONNECTIONS = 32
_WRITES = "facecli_writes"
_AUTOCOMMIT = "facecli_autocommit"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_FULL = frozenset({sqlite3.SQLITE_FULL, "53100"})  # SQLSTATE disk_full
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, "XX001", "XX002"})
_DISK_FAILED = frozenset({sqlite3.SQLITE_IOERR, "58030"})
_NO_PERMISSION = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_RESTORE = "restore it from a backup"
_REFUSED = frozenset({"25006", "42501", "3F000"})  # a read-only standby; no permission; no schema


def open_database(
    url: str,
    *,
    busy_timeout: float = BUSY_TIMEOUT,
    durable: bool = True,
    connections: int = CONNECTIONS,
) -> Engine:
    """Open the database at `sqlite:////absolute/path` or `postgresql://…`; `dispose()` closes it.

    `busy_timeout` is in seconds, for another writer to finish or one of the `connections` to be free.
    If `durable`, a commit that has returned survives a power cut: SQLite in WAL mode with synchronous=FULL.
    InvalidInput for another kind of URL, Unavailable when the database cannot be opened.
    """
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        engine = _open_sqlite(address, busy_timeout, durable, connections)
    else:
        engine = _open_postgresql(address, busy_timeout, durable, connections)
    _close_connections_in_use(engine)
    return engine


def server_version(engine: Engine, url: str) -> str:
    """Version and name of a PostgreSQL, as `PostgreSQL 15.13 at db.example:5432/facecli`."""
    with reading(engine) as connection:
        number = connection.exec_driver_sql("SHOW server_version").scalar()
    return f"PostgreSQL {number} at {display_name(url)}"


def query_seconds(engine: Engine) -> float:
    """The shortest time of a few queries for one round trip to the database."""
    times = list[float]()
    with reading(engine) as connection:
        for _ in range(5):
            began = time.perf_counter()
            connection.exec_driver_sql("SELECT 1").scalar()
            times.append(time.perf_counter() - began)
    return min(times)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one snapshot of the database."""
    options = _SNAPSHOT if engine.dialect.name == "postgresql" else {}
    with translate_errors(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may change rows; committed on leaving."""
    with (
        translate_errors(),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def autocommitting(engine: Engine) -> Iterator[Connection]:
    """A connection on which every statement is a transaction of its own.

    On PostgreSQL no lock outlives the statement, even if this process is suspended after it was sent.
    """
    # SQLite's connections are in this mode, but for BEGIN; SQLAlchemy's level would end it when it is reset.
    options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
    with (
        translate_errors(),
        engine.connect().execution_options(**{_AUTOCOMMIT: True}, **options) as connection,
    ):
        yield connection


@contextmanager
def translate_errors(*, subject: str = "the database", remedy: str = _RESTORE) -> Iterator[None]:
    """Translate errors of SQLAlchemy and its drivers; `remedy` repairs a damaged SQLite file."""
    try:
        yield
    except NoConnectionFree as error:
        raise Unavailable(f"every connection to {subject} is in use; try again") from error
    except (DBAPIError, sqlite3.Error) as error:
        if translated := _translated(error, subject, remedy):
            raise translated from error
        raise


def _open_postgresql(address: URL, busy_timeout: float, durable: bool, connections: int) -> Engine:
    engine = create_engine(
        address,
        pool_size=(connections + 1) // 2,
        max_overflow=connections // 2,
        pool_timeout=busy_timeout,
        pool_pre_ping=True,  # else each connection opened before a restart fails one call
    )
    if durable:
        event.listen(engine, "connect", _require_synchronous_commit)
    try:
        with translate_errors(), engine.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise InvalidInput(f"the encoding of the database is {encoding}; create a database in UTF8")
    except BaseException as error:
        engine.dispose()
        if isinstance(error, ProgrammingError):  # by libpq: an unknown option in the URL
            raise InvalidInput(
                f"the database URL cannot be used: {' '.join(str(error.orig).split())}"
            ) from error
        raise
    return engine


def _close_connections_in_use(engine: Engine) -> None:
    """Close connections that are in use during `dispose` when they are returned to the pool."""
    disposed = threading.Event()

    def close(_: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        if disposed.is_set():
            record.invalidate()

    event.listen(engine, "engine_disposed", lambda _: disposed.set())
    event.listen(engine, "checkin", close)


def _require_synchronous_commit(connection: DBAPIConnection, _: object) -> None:
    """Override a default of `off`; keep a stricter one, such as a cluster's."""
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
        connection.isolation_level = None  # else the driver begins transactions itself, and late
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")

    event.listen(engine, "connect", set_up)
    try:
        with translate_errors(subject=f"the database {url.database}"), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    except BaseException:
        engine.dispose()
        raise
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Lock for writing at the start: SQLite refuses the lock if another connection wrote after a read."""
    options = connection.get_execution_options()
    if not options.get(_AUTOCOMMIT):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


def _translated(error: DBAPIError | sqlite3.Error, subject: str, remedy: str) -> FacecliError | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    message = " ".join(str(cause).split())  # of the database, without the statement and its values
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    else:
        code = getattr(cause, "sqlstate", None)
    if code in _FULL:
        return DiskFull("the database's disk is full; acknowledged data is safe", retry_after=_RETRY_AFTER)
    if code in _DAMAGED:
        return StorageFailed(f"{subject} is damaged: {message}; {remedy}")
    if code in _DISK_FAILED:
        return StorageFailed(f"{subject} cannot be read or written: {message}; check the disk")
    if isinstance(error, DataError) and code is None:  # raised by the driver, before the statement was sent
        return InvalidInput(f"{subject} cannot store this value: {message}")
    # SQLite reports an invalid statement, which is a bug of ours, as operational, too.
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    operational = isinstance(error, OperationalError | sqlite3.OperationalError)
    if code != sqlite3.SQLITE_ERROR and (operational or invalidated or code in _REFUSED):
        advice = "; check the owner and permissions of its directory" if code in _NO_PERMISSION else ""
        return Unavailable(f"{subject} is not available: {message}{advice}")
    return None
