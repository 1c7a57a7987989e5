"""SqlUploadRepository: uploads and their chunks as database rows (group commit, fencing by epoch)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import AlreadyExists, UploadNotFound
from facecli.metadata.content.chunks import (
    chunk_of,
    delete_chunks,
    key_of,
    put_chunks,
    replace_chunks,
    stored_of,
    update_tokens,
    with_chunk,
)
from facecli.metadata.content.identity import Identity, identity, same, same_as_any
from facecli.metadata.content.needs import tasks_that_need
from facecli.metadata.content.upload_row import row_of, upload_of
from facecli.metadata.database import reading, writing
from facecli.metadata.listing import batches, newest
from facecli.metadata.tables import chunks, uploads
from facecli.metadata.usage import check_usage, lock_usage
from facecli.uploads.quota import Admit
from facecli.uploads.upload import Chunk, NewChunk, NewUpload, Upload, UploadStatus


class SqlUploadRepository:
    """UploadRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(
        self, new: Sequence[Upload], *, admit: Admit | None = None, reusable: Collection[str] = ()
    ) -> Sequence[Upload]:
        owners = {upload.owner for upload in new}
        try:
            with writing(self._engine) as connection:
                existing = dict[Identity, Upload]()
                if reusable:
                    for owner in sorted(owners):
                        lock_usage(connection, owner)
                    existing = _same(connection, [upload for upload in new if upload.id in reusable])
                kept = {each.id: existing.get(identity(each)) for each in new if each.id in reusable}
                if added := [upload for upload in new if not kept.get(upload.id)]:
                    check_usage(connection, {upload.owner for upload in added}, admit)
                    connection.execute(insert(uploads), [row_of(upload) for upload in added])
                return [kept.get(upload.id) or upload for upload in new]
        except IntegrityError as error:
            raise AlreadyExists(f"upload {new[0].id} exists already") from error

    def get(self, upload_id: str, *, owner: str | None = None) -> Upload:
        with reading(self._engine) as connection:
            return _found(connection, upload_id, owner=owner)

    def find(self, new: NewUpload) -> Upload | None:
        newest = select(uploads).order_by(uploads.c.created_at.desc(), uploads.c.id.desc())
        query = newest.where(*same(new)).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return upload_of(row) if row else None

    def find_all(self, new: Sequence[NewUpload]) -> list[Upload | None]:
        if len(new) > 1 and all(each.size and each.fingerprint is not None for each in new):
            with reading(self._engine) as connection:
                newest_of = _same(connection, new)
            return [newest_of.get(identity(each)) for each in new]
        return [self.find(each) for each in new]

    def listed(self, owner: str, *, limit: int, before: str) -> Sequence[Upload]:
        with reading(self._engine) as connection:
            rows = newest(connection, uploads, owner, limit=limit, before=before)
            return [upload_of(row) for row in rows]

    def page(self, *, after: str) -> Sequence[Upload]:
        query = select(uploads).where(uploads.c.id > after).order_by(uploads.c.id).limit(_PAGE)
        with reading(self._engine) as connection:
            return [upload_of(row) for row in connection.execute(query).mappings()]

    def blob_keys(self, upload_ids: Collection[str]) -> Mapping[str, str]:
        query = select(uploads.c.id, uploads.c.blob_key)
        with reading(self._engine) as connection:
            return {
                upload_id: key
                for batch in batches(sorted(upload_ids))
                for upload_id, key in connection.execute(query.where(uploads.c.id.in_(batch)))
            }

    def chunks(self, upload_id: str) -> Sequence[Chunk]:
        query = select(chunks).where(chunks.c.upload_id == upload_id).order_by(chunks.c.index)
        with reading(self._engine) as connection:
            return [chunk_of(row) for row in connection.execute(query).mappings()]

    def claim(self, upload_id: str, *, now: float, expires_at: float) -> Upload:
        with writing(self._engine) as connection:
            upload = _found(connection, upload_id, lock=True)
            return _changed(
                connection, upload_id, epoch=upload.epoch + 1, updated_at=now, expires_at=expires_at
            )

    def prolong(self, upload_ids: Sequence[str], *, expires_at: float) -> Sequence[Upload]:
        chosen = uploads.c.id.in_(upload_ids)
        with writing(self._engine) as connection:
            connection.execute(update(uploads).where(chosen, _INCOMPLETE).values(expires_at=expires_at))
            return [upload_of(row) for row in connection.execute(select(uploads).where(chosen)).mappings()]

    def store_chunks(self, new: Sequence[NewChunk], *, now: float, expires_at: float) -> list[Upload]:
        with writing(self._engine) as connection:
            after = _locked(connection, {each.upload_id for each in new})
            stored = stored_of(connection, new)
            known = set(stored)
            changed = []
            for each in new:
                upload = with_chunk(after[each.upload_id], each, is_new=key_of(each) not in known)
                after[upload.id] = replace(upload, updated_at=now, expires_at=expires_at)
                known.add(key_of(each))
                changed.append(after[upload.id])
            put_chunks(connection, new, stored)
            connection.execute(_UPDATE, [_values(upload) for upload in after.values()])
        return changed

    def forget_chunks(self, upload_id: str, indexes: Sequence[int]) -> Upload:
        with writing(self._engine) as connection:
            _found(connection, upload_id, lock=True)
            return _changed(connection, upload_id, **delete_chunks(connection, upload_id, indexes))

    def reopen(self, upload_id: str, intact: Sequence[Chunk], *, now: float, expires_at: float) -> Upload:
        with writing(self._engine) as connection:
            _found(connection, upload_id, lock=True)
            replace_chunks(connection, upload_id, intact)
            incomplete = {"status": UploadStatus.INCOMPLETE, "crc32c": None, "updated_at": now}
            return _changed(
                connection,
                upload_id,
                **incomplete,
                stored_bytes=sum(chunk.size for chunk in intact),
                stored_chunks=len(intact),
                expires_at=expires_at,
            )

    def move_chunks(self, upload_id: str, moved: Sequence[Chunk]) -> None:
        with writing(self._engine) as connection:
            _found(connection, upload_id, lock=True)
            update_tokens(connection, upload_id, moved)

    def complete(self, upload_id: str, *, crc32c: int, size: int, now: float) -> Upload:
        with writing(self._engine) as connection:
            upload = _found(connection, upload_id, lock=True)
            if upload.completed:
                return upload
            return _changed(
                connection,
                upload_id,
                status=UploadStatus.COMPLETED,
                crc32c=crc32c,
                size=size,
                updated_at=now,
            )

    def fix_size(self, upload_id: str, *, size: int, total_chunks: int) -> Upload:
        with writing(self._engine) as connection:
            _found(connection, upload_id, lock=True)
            return _changed(connection, upload_id, size=size, total_chunks=total_chunks)

    def expired(self, now: float) -> Sequence[Upload]:
        query = select(uploads).where(_expired(now)).order_by(uploads.c.expires_at)
        with reading(self._engine) as connection:
            return [upload_of(row) for row in connection.execute(query).mappings()]

    def needed_by(self, upload_id: str) -> str | None:
        with reading(self._engine) as connection:
            return connection.execute(tasks_that_need(upload_id).limit(1)).scalar()

    def delete(self, upload_id: str, *, expired_at: float | None = None) -> bool:
        deletion = delete(uploads).where(uploads.c.id == upload_id)
        if expired_at is not None:
            deletion = deletion.where(_expired(expired_at))
        with writing(self._engine) as connection:
            return connection.execute(deletion).rowcount > 0


def _expired(now: float) -> ColumnElement[bool]:
    return _INCOMPLETE & (uploads.c.expires_at <= now)


def _found(connection: Connection, upload_id: str, *, owner: str | None = None, lock: bool = False) -> Upload:
    query = select(uploads).where(uploads.c.id == upload_id)
    if owner is not None:
        query = query.where(uploads.c.owner == owner)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise UploadNotFound(f"there is no upload {upload_id}")
    return upload_of(row)


def _same(connection: Connection, new: Sequence[NewUpload | Upload]) -> dict[Identity, Upload]:
    """The newest upload of each of these files, if there is one."""
    found = [upload_of(row) for row in connection.execute(select(uploads).where(same_as_any(new))).mappings()]
    found.sort(key=lambda upload: (upload.created_at, upload.id))
    return {identity(upload): upload for upload in found}


def _changed(connection: Connection, upload_id: str, **values: object) -> Upload:
    change = update(uploads).where(uploads.c.id == upload_id).values(**values).returning(uploads)
    return upload_of(connection.execute(change).mappings().one())


def _locked(connection: Connection, upload_ids: set[str]) -> dict[str, Upload]:
    query = select(uploads).where(uploads.c.id.in_(upload_ids)).order_by(uploads.c.id).with_for_update()
    locked = {row["id"]: upload_of(row) for row in connection.execute(query).mappings()}
    if missing := upload_ids - locked.keys():
        raise UploadNotFound(f"there is no upload {min(missing)}")
    return locked


def _values(upload: Upload) -> dict[str, object]:
    return {"row_id": upload.id, **{name: getattr(upload, name) for name in _MUTABLE}}


_PAGE = 1000  # rows of a page
_INCOMPLETE = uploads.c.status == UploadStatus.INCOMPLETE
_MUTABLE = ("size", "stored_bytes", "stored_chunks", "updated_at", "expires_at", "status", "crc32c")
_UPDATE = (
    update(uploads)
    .where(uploads.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _MUTABLE})
)
