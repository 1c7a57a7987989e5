"""SqlDirectoryRepository: the ids of the data directories that belong to this database."""

from sqlalchemy import Engine, insert, select

from facecli.metadata.database import autocommitting, reading
from facecli.metadata.tables import directories


class SqlDirectoryRepository:
    """Ids of data directories in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def any(self) -> bool:
        """Whether a server has used this database with any data directory."""
        with reading(self._engine) as connection:
            return connection.execute(select(directories.c.id).limit(1)).first() is not None

    def known(self, data_dir_id: str) -> bool:
        with reading(self._engine) as connection:
            return (
                connection.execute(select(directories).where(directories.c.id == data_dir_id)).first()
                is not None
            )

    def remember(self, data_dir_id: str) -> None:
        with autocommitting(self._engine) as connection:
            connection.execute(insert(directories).values(id=data_dir_id))
