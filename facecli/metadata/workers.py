"""Workers as rows."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Engine, delete, insert, select, update

from facecli.metadata.database import reading, writing
from facecli.metadata.tables import workers
from facecli.tasks.leases import Worker


class SqlWorkerRepository:
    """WorkerRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def heartbeat(self, worker: Worker) -> None:
        """One beat more; a worker that is not known, or was forgotten, is entered."""
        more = update(workers).where(workers.c.id == worker.id).values(heartbeats=workers.c.heartbeats + 1)
        entry = insert(workers).values(
            id=worker.id, name=worker.name, data_dir_id=worker.data_dir_id, pid=worker.pid, heartbeats=0
        )
        with writing(self._engine) as connection:
            if not connection.execute(more).rowcount:
                connection.execute(entry)

    def probe_writable(self) -> None:
        """All that a beat needs of the database, and nothing stays of it; raises what a beat would."""
        nobody = uuid.uuid4().hex
        with writing(self._engine) as connection:
            connection.execute(
                insert(workers).values(id=nobody, name="", data_dir_id="", pid=0, heartbeats=0)
            )
            connection.execute(delete(workers).where(workers.c.id == nobody))

    def listed(self) -> Sequence[Worker]:
        with reading(self._engine) as connection:
            return [Worker(**row) for row in connection.execute(select(workers)).mappings()]

    def forget(self, worker_id: str) -> None:
        """Harmless when it is not known."""
        with writing(self._engine) as connection:
            connection.execute(delete(workers).where(workers.c.id == worker_id))
