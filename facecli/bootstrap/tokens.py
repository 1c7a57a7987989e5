"""Assembles token management, for a running or stopped server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.bootstrap.factories import database_url, private_data_directory
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.errors import InvalidInput
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.tokens import SqlTokenRepository


@contextmanager
def tokens(settings: Settings) -> Iterator[Tokens]:
    """Open the tokens of a data directory, creating it and its database if needed."""
    directory = data_directory(settings)
    with private_data_directory(directory):
        yield from _opened(settings, directory)


def _opened(settings: Settings, directory: Path) -> Iterator[Tokens]:
    if not settings.database:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InvalidInput(f"cannot use the directory {directory}: {error.strerror}") from error
    engine = open_database(database_url(settings, directory / "facecli.db"))
    try:
        schema.upgrade(engine)
        yield Tokens(SqlTokenRepository(engine), clock=time.time)
    finally:
        engine.dispose()
