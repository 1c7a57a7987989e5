"""The data directories whose files this database knows, as rows."""

from sqlalchemy import Engine, insert, select

from facecli.metadata.database import reading, writing
from facecli.metadata.tables import directories


class SqlDirectoryRepository:
    """Names of directories in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, name: str) -> bool:
        with reading(self._engine) as connection:
            return connection.execute(select(directories).where(directories.c.id == name)).first() is not None

    def remember(self, name: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(insert(directories).values(id=name))
