"""Usage of a user, counted from the rows, for the quota."""

from sqlalchemy import BigInteger, Engine, cast, func, select

from facecli.metadata.database import reading
from facecli.metadata.tables import tasks, uploads
from facecli.tasks.task import TaskStatus
from facecli.uploads.quota import Usage
from facecli.uploads.upload import UploadStatus


class SqlUsageRepository:
    """UsageRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, owner: str) -> Usage:
        # Two covering indexes answer this; 100,000 uploads take about 15 ms.
        with reading(self._engine) as connection:
            reserved, unfinished = connection.execute(_UPLOADS.where(uploads.c.owner == owner)).one()
            results, waiting = connection.execute(_TASKS.where(tasks.c.owner == owner)).one()
        return Usage(stored=int(reserved) + int(results), unfinished=unfinished, waiting=waiting)


# The size limit of an upload whose size is unknown.
_LARGEST_SIZE = cast(uploads.c.total_chunks, BigInteger) * uploads.c.chunk_size
_UPLOADS = select(
    func.coalesce(func.sum(func.coalesce(uploads.c.size, _LARGEST_SIZE)), 0),
    func.count().filter(uploads.c.status == UploadStatus.INCOMPLETE),
)
_TASKS = select(
    func.coalesce(func.sum(tasks.c.result_size), 0),
    func.count().filter(tasks.c.status == TaskStatus.PENDING),
)
