"""The state of the PostgreSQL in the settings, for a check of the installation."""

from dataclasses import dataclass

from facecli.config.settings import Settings
from facecli.metadata import schema
from facecli.metadata.database import open_database, query_seconds, server_version
from facecli.metadata.database_url import postgresql_url


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """Version and name; seconds of a round trip; its schema, empty for none, and that of this program."""

    version: str
    seconds: float
    schema: str
    own_schema: str


def database_state(settings: Settings) -> DatabaseState:
    """Unavailable if the database does not answer, InvalidInput for another type of database."""
    url = postgresql_url(settings.database)
    engine = open_database(url)
    try:
        return DatabaseState(
            version=server_version(engine, url),
            seconds=query_seconds(engine),
            schema=schema.revision(engine),
            own_schema=schema.HEAD,
        )
    finally:
        engine.dispose()
