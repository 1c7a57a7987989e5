"""Rows of chunks, within a transaction of the upload repository; fencing of writers by epoch."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, tuple_, update

from facecli.core.errors import ChunkDiffers, InvalidInput, TakenOver
from facecli.metadata.tables import chunks
from facecli.uploads.upload import Chunk, NewChunk, Upload, UploadStatus


def key_of(new: NewChunk) -> tuple[str, int]:
    return new.upload_id, new.chunk.index


def stored_of(connection: Connection, new: Sequence[NewChunk]) -> set[tuple[str, int]]:
    """The keys of the given chunks that are stored; the uploads must be locked."""
    query = select(chunks.c.upload_id, chunks.c.index).where(
        tuple_(chunks.c.upload_id, chunks.c.index).in_([key_of(each) for each in new])
    )
    return {(upload_id, index) for upload_id, index in connection.execute(query)}


def put_chunks(connection: Connection, new: Sequence[NewChunk], replaced: set[tuple[str, int]]) -> None:
    """Insert chunks in place of the `replaced` ones; the last one wins for a repeated key."""
    if replaced:
        _delete(connection, replaced)
    _insert(connection, list({key_of(each): (each.upload_id, each.chunk) for each in new}.values()))


def replace_chunks(connection: Connection, upload_id: str, intact: Sequence[Chunk]) -> None:
    """Replace all chunks of an upload by these."""
    connection.execute(delete(chunks).where(chunks.c.upload_id == upload_id))
    if intact:
        _insert(connection, [(upload_id, chunk) for chunk in intact])


def update_tokens(connection: Connection, upload_id: str, moved: Sequence[Chunk]) -> None:
    rows = [{"row_upload": upload_id, "row_index": chunk.index, "row_token": chunk.token} for chunk in moved]
    connection.execute(update(chunks).where(_ROW).values(token=bindparam("row_token")), rows)


def delete_chunks(connection: Connection, upload_id: str, indexes: Sequence[int]) -> dict[str, int]:
    """Delete chunks; return the counters of the rest, for the upload's row."""
    if indexes:
        _delete(connection, {(upload_id, index) for index in indexes})
    query = select(func.coalesce(func.sum(chunks.c.size), 0), func.count())
    size, number = connection.execute(query.where(chunks.c.upload_id == upload_id)).one()
    return {"stored_bytes": int(size), "stored_chunks": number}


def chunk_of(row: RowMapping) -> Chunk:
    return Chunk(index=row["index"], size=row["size"], crc32c=row["crc32c"], token=row["token"])


def with_chunk(upload: Upload, new: NewChunk, *, is_new: bool) -> Upload:
    """The upload with a chunk added or replaced; ChunkDiffers or InvalidInput when refused.

    Fencing: TakenOver for the epoch of an older writer.
    """
    chunk = new.chunk
    if upload.completed:
        raise ChunkDiffers(f"{upload.name} is complete; its chunk {chunk.index} cannot be replaced")
    if new.epoch is not None and new.epoch != upload.epoch:
        raise TakenOver(f"another writer continues the upload of {upload.name}")
    if upload.chunk_length(chunk.index) not in {None, chunk.size}:
        raise InvalidInput(f"chunk {chunk.index} of {upload.name} cannot have {chunk.size} bytes")
    last = chunk.index == upload.total_chunks - 1
    return replace(
        upload,
        size=chunk.index * upload.chunk_size + chunk.size if last else upload.size,
        stored_bytes=upload.stored_bytes + (chunk.size if is_new else 0),
        stored_chunks=upload.stored_chunks + is_new,
        status=upload.status if new.whole is None else UploadStatus.COMPLETED,
        crc32c=new.whole,
    )


def _insert(connection: Connection, rows: Sequence[tuple[str, Chunk]]) -> None:
    connection.execute(
        insert(chunks),
        [
            {
                "upload_id": upload_id,
                "index": chunk.index,
                "size": chunk.size,
                "crc32c": chunk.crc32c,
                "token": chunk.token,
            }
            for upload_id, chunk in rows
        ],
    )


def _delete(connection: Connection, keys: set[tuple[str, int]]) -> None:
    connection.execute(_DELETE, [{"row_upload": upload_id, "row_index": index} for upload_id, index in keys])


_ROW = (chunks.c.upload_id == bindparam("row_upload")) & (chunks.c.index == bindparam("row_index"))
_DELETE = delete(chunks).where(_ROW)
