"""SqlWorkerRepository: workers as database rows, with heartbeat counters for their leases."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Engine, RowMapping, delete, insert, select, update

from facecli.metadata.database import autocommitting, reading, writing
from facecli.metadata.tables import workers
from facecli.tasks.leases import Worker


class SqlWorkerRepository:
    """WorkerRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def heartbeat(self, worker: Worker) -> None:
        count = update(workers).where(workers.c.id == worker.id).values(heartbeats=workers.c.heartbeats + 1)
        registration = insert(workers).values(
            id=worker.id,
            name=worker.name,
            data_dir_id=worker.data_dir_id,
            pid=worker.pid,
            engines=worker.engines,
            heartbeats=0,
            version=worker.version,
        )
        with autocommitting(self._engine) as connection:
            if not connection.execute(count).rowcount:
                connection.execute(registration)

    def probe_writable(self) -> None:
        probe_id = uuid.uuid4().hex
        probe = insert(workers).values(id=probe_id, name="", data_dir_id="", pid=0, heartbeats=0)
        with writing(self._engine) as connection:
            connection.execute(probe)
            connection.execute(delete(workers).where(workers.c.id == probe_id))

    def listed(self) -> Sequence[Worker]:
        with reading(self._engine) as connection:
            return [_worker(row) for row in connection.execute(select(workers)).mappings()]

    def forget(self, worker_id: str) -> None:
        with autocommitting(self._engine) as connection:
            connection.execute(delete(workers).where(workers.c.id == worker_id))


def _worker(row: RowMapping) -> Worker:
    return Worker(**{**row, "engines": tuple(row["engines"])})
