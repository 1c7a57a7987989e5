"""The place of a server's data, as commands name it, and whether a server has ever used it."""

from facecli.blobs.identity import FILE
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.metadata.database import open_database
from facecli.metadata.database_url import display_name
from facecli.metadata.directories import SqlDirectoryRepository


def location(settings: Settings) -> str:
    """The data directory, and the PostgreSQL if one is set."""
    directory = str(data_directory(settings))
    return f"{directory} of database {display_name(settings.database)}" if settings.database else directory


def has_served(settings: Settings) -> bool:
    """Whether a server has used the data directory, or with PostgreSQL the database, before."""
    if not settings.database:
        return (data_directory(settings) / FILE).exists()
    engine = open_database(settings.database)
    try:
        return SqlDirectoryRepository(engine).any()
    finally:
        engine.dispose()
