"""SqlTailRepository: tails of uploads as database rows; the deletion of an upload deletes its tail."""

from sqlalchemy import ColumnElement, Engine, delete, insert, select

from facecli.core.errors import TakenOver, UploadNotFound
from facecli.metadata.database import reading, writing
from facecli.metadata.tables import tails, uploads
from facecli.uploads.tails import Tail


class SqlTailRepository:
    """TailRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, upload_id: str) -> Tail | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(tails.c.offset, tails.c.data).where(_of(upload_id))).first()
        return Tail(offset=row.offset, data=bytes(row.data)) if row else None

    def put(self, upload_id: str, tail: Tail, *, epoch: int | None) -> None:
        upload = select(uploads.c.epoch, uploads.c.name).where(uploads.c.id == upload_id)
        with writing(self._engine) as connection:
            row = connection.execute(upload.with_for_update()).first()
            if row is None:
                raise UploadNotFound(f"there is no upload {upload_id}")
            if row.epoch != epoch:
                raise TakenOver(f"another writer continues the upload of {row.name}")
            connection.execute(delete(tails).where(_of(upload_id)))
            connection.execute(insert(tails).values(upload_id=upload_id, offset=tail.offset, data=tail.data))

    def delete(self, upload_id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(tails).where(_of(upload_id)))


def _of(upload_id: str) -> ColumnElement[bool]:
    return tails.c.upload_id == upload_id
