"""Opens the database and gives transactions; what it complains about becomes our errors here."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from facecli.core.errors import DiskFull, FacecliError, InvalidInput, StorageFailed, Unavailable

BUSY_TIMEOUT = 30.0  # seconds
_RETRY_AFTER = 30  # seconds; a person has to make room
_CONNECTIONS = 16
_WRITES = "facecli_writes"
_FULL = frozenset({sqlite3.SQLITE_FULL, "53100"})  # SQLSTATE disk_full
_DAMAGED = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, "58030", "XX001"})


def open_database(url: str, *, busy_timeout: float = BUSY_TIMEOUT, durable: bool = True) -> Engine:
    """The database behind `sqlite:////absolute/path` or `postgresql://…`; `dispose()` closes it.

    `busy_timeout`: seconds to wait for another writer, or for a free connection.
    A commit that returned survives a power cut, when `durable`: SQLite in WAL mode with synchronous=FULL.
    InvalidInput for another kind of URL, Unavailable when the file cannot be opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(
            "the database URL is not one; it looks like sqlite:////var/lib/facecli/facecli.db"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed, busy_timeout, durable)
        case "postgresql" | "postgres":
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=_CONNECTIONS,
                max_overflow=_CONNECTIONS,
                pool_timeout=busy_timeout,
                pool_pre_ping=True,
            )
        case other:
            raise InvalidInput(f"a database of the kind {other!r} is not supported; use sqlite or postgresql")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the database."""
    with _ours(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may change rows; durable when this is left."""
    with _ours(), engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def _open_sqlite(url: URL, busy_timeout: float, durable: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout},
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        pool_timeout=busy_timeout,
    )

    def set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # or the driver would begin transactions itself, and late
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")

    event.listen(engine, "connect", set_up)
    try:
        with _ours(), engine.connect() as connection:
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


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except NoConnectionFree as error:
        raise Unavailable("every connection to the database is in use; try again") from error
    except DatabaseError as error:
        if known := _error(error):
            raise known from error
        raise


def _error(error: DatabaseError) -> FacecliError | None:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    else:
        code = getattr(error.orig, "sqlstate", None)
    if code in _FULL:
        return DiskFull(
            "the database's disk is full; what was acknowledged is kept", retry_after=_RETRY_AFTER
        )
    if code in _DAMAGED:
        return StorageFailed(f"the database cannot be read or written: {error.orig}")
    # SQLite calls a wrong statement operational too; that one is a bug of ours.
    if code != sqlite3.SQLITE_ERROR and (isinstance(error, OperationalError) or error.connection_invalidated):
        return Unavailable(f"the database is not available: {error.orig}")
    return None
