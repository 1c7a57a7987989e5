"""Database URLs: parsing, defaults, and names without secrets."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from facecli.core.errors import InvalidInput

EXAMPLE = "postgresql://facecli@db.example/facecli"
IDLE_TRANSACTION_TIMEOUT = 3.0  # seconds; not more than the lease of a worker (facecli/tasks/leases.py)
LOCK_TIMEOUT = 6.0  # seconds; longer than a suspended process can hold a lock
STATEMENT_TIMEOUT = 60.0  # seconds
# Parameters of libpq unless the URL sets them: by default it waits for a dead host for minutes.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_TIMEOUTS = {
    "connect_timeout": "10",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}
# Parameters of every session, so that no process can hold a lock, or wait for one, without end: PostgreSQL
# ends the transaction of a client that is suspended, and the connection of a machine that is gone.
# https://www.postgresql.org/docs/current/runtime-config-client.html
_SESSION = {
    "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_TIMEOUT * 1000:.0f}",  # milliseconds
    "lock_timeout": f"{LOCK_TIMEOUT * 1000:.0f}",
    "statement_timeout": f"{STATEMENT_TIMEOUT * 1000:.0f}",
    "tcp_keepalives_idle": "10",  # seconds
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}


def parse_url(url: str) -> URL:
    """Parse `sqlite:////absolute/path` or `postgresql://…`; InvalidInput otherwise, without quoting it."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # the message, and so the traceback, can quote part of the password
        raise InvalidInput(f"the database URL is not valid; it looks like {EXAMPLE}") from None
    match address.get_backend_name():
        case "sqlite":
            return address
        case "postgresql" | "postgres":
            return _postgresql(address)
        case other:
            raise InvalidInput(f"databases of type {other!r} are not supported; use {EXAMPLE}")


def postgresql_url(url: str) -> str:
    """Complete the URL of a PostgreSQL, for any client; InvalidInput for another database."""
    address = parse_url(url)
    if address.get_backend_name() != "postgresql":
        raise InvalidInput(
            f"the database must be a PostgreSQL, such as {EXAMPLE}; the default without one is SQLite"
        )
    complete = address.set(drivername="postgresql").render_as_string(hide_password=False)
    before, mark, query = complete.partition("?")
    return before + mark + query.replace("+", "%20")  # libpq takes a + literally


def display_name(url: str) -> str:
    """The name of a PostgreSQL, as `db.example:5432/facecli`, without user and password."""
    address = parse_url(url)
    hosts = [address.host] if address.host else address.query.get("host", "localhost")
    host = hosts if isinstance(hosts, str) else ",".join(filter(None, hosts))
    port = address.port or address.query.get("port", "5432")
    return f"{host}:{port if isinstance(port, int | str) else ','.join(port)}/{address.database}"


def _postgresql(address: URL) -> URL:
    if not address.database:
        raise InvalidInput(f"the database URL names no database; it looks like {EXAMPLE}")
    if "@" in (address.host or ""):
        raise InvalidInput("the password in the database URL contains an @; write it as %40")
    timeouts = {key: value for key, value in _TIMEOUTS.items() if key not in address.query}
    address = address.set(drivername="postgresql+psycopg").update_query_dict(timeouts)
    ours = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    options = address.query.get("options", "")
    theirs = options if isinstance(options, str) else " ".join(options)
    # Of two values for a parameter PostgreSQL takes the last, so those of the URL prevail.
    return address if ours in theirs else address.update_query_dict({"options": f"{ours} {theirs}".strip()})
