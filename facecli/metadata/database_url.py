"""What the URL of a database may be, and how it is named without its secrets."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from facecli.core.errors import InvalidInput

EXAMPLE = "postgresql://facecli@db.example/facecli"
# libpq's words, for what the URL leaves open: by itself it waits for minutes for a machine that is gone, with
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_PATIENCE = {
    "connect_timeout": "10",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}


def parsed(url: str) -> URL:
    """`sqlite:////absolute/path` or `postgresql://…`; InvalidInput for another, without a word of it."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # whose words, and so their trace, may hold a piece of the password
        raise InvalidInput(f"the database URL is not one; it looks like {EXAMPLE}") from None
    match address.get_backend_name():
        case "sqlite":
            return address
        case "postgresql" | "postgres":
            return _postgresql(address)
        case other:
            raise InvalidInput(f"a database of the kind {other!r} is not supported; use {EXAMPLE}")


def postgresql(url: str) -> str:
    """The URL of the same PostgreSQL for whoever opens it, complete; InvalidInput for another database."""
    address = parsed(url)
    if address.get_backend_name() != "postgresql":
        raise InvalidInput(
            f"the database has to be a PostgreSQL, such as {EXAMPLE}; without one it is SQLite"
        )
    return address.set(drivername="postgresql").render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """Which database it is, as `db.example:5432/facecli`: nothing of who opens it, and how."""
    address = parsed(url)
    hosts = [address.host] if address.host else address.query.get("host", "localhost")
    host = hosts if isinstance(hosts, str) else ",".join(filter(None, hosts))
    port = address.port or address.query.get("port", "5432")
    return f"{host}:{port if isinstance(port, int | str) else ','.join(port)}/{address.database}"


def _postgresql(address: URL) -> URL:
    if not address.database:
        raise InvalidInput(f"the database URL names no database; it looks like {EXAMPLE}")
    if "@" in (address.host or ""):
        raise InvalidInput("the database URL has a password with an @ in it; there it is written %40")
    patience = {key: value for key, value in _PATIENCE.items() if key not in address.query}
    return address.set(drivername="postgresql+psycopg").update_query_dict(patience)
