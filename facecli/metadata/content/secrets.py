"""Secrets that all servers of a database share."""

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from facecli.metadata.database import reading, writing
from facecli.metadata.tables import secrets


class SqlSecretRepository:
    """Secrets by name, in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, name: str, value: bytes) -> bytes:
        """Store a secret unless there is one of this name; return the stored one."""
        if (stored := self._find(name)) is not None:
            return stored
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(secrets).values(name=name, value=value))
        except IntegrityError:  # another server was faster
            return self._find(name) or value
        return value

    def _find(self, name: str) -> bytes | None:
        with reading(self._engine) as connection:
            return connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar()
