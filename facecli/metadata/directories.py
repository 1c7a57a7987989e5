"""SqlDirectoryRepository: the data directories that belong to this database, and their generations."""

from sqlalchemy import Engine, case, func, insert, select, update

from facecli.metadata.database import autocommitting, reading
from facecli.metadata.tables import directories, tasks, uploads


class SqlDirectoryRepository:
    """Ids and generations of data directories in a database."""

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

    def generation(self, data_dir_id: str) -> int:
        """The generation of a known directory."""
        query = select(directories.c.generation).where(directories.c.id == data_dir_id)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def raise_generation(self, data_dir_id: str, *, above: int = 0) -> int:
        """Raise the generation of a directory, beyond `above` too; return it."""
        known = directories.c.generation
        raised = update(directories).where(directories.c.id == data_dir_id)
        raised = raised.values(generation=case((known > above, known), else_=above) + 1)
        with autocommitting(self._engine) as connection:
            return int(connection.execute(raised.returning(known)).scalar_one())

    def newest_row(self) -> float | None:
        """The time of the newest change to an upload or task; None without any."""
        with reading(self._engine) as connection:
            times = [
                connection.execute(select(func.max(table.c.updated_at))).scalar()
                for table in (uploads, tasks)
            ]
        return max((float(each) for each in times if each is not None), default=None)
