"""Assembles the export of provenance records, for a running or stopped server."""

from collections.abc import Iterator
from contextlib import contextmanager

from facecli.bootstrap.factories import database_url
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.metadata import schema
from facecli.metadata.audit.provenance import SqlProvenanceRepository
from facecli.metadata.database import open_database
from facecli.tasks.provenance.chain import ChainedRecord, verified


@contextmanager
def provenance_records(settings: Settings) -> Iterator[Iterator[ChainedRecord]]:
    """All records of a data directory, each compared with its link; changes nothing."""
    file = data_directory(settings) / "facecli.db"
    if not settings.database and not file.exists():
        raise InvalidInput(f"{file} is missing; --data-dir names the directory of a server")
    engine = open_database(database_url(settings, file))
    try:
        schema.check(engine)
        yield verified(SqlProvenanceRepository(engine).all())
    finally:
        engine.dispose()
