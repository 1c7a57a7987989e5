"""Chunks as rows."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    BigInteger,
    Connection,
    RowMapping,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from facecli.core.errors import ChunkDiffers, InvalidInput, TakenOver
from facecli.metadata.tables import chunks
from facecli.uploads.upload import Chunk, NewChunk, Upload, UploadStatus


def key_of(new: NewChunk) -> tuple[str, int]:
    return new.upload_id, new.chunk.index


def stored_of(connection: Connection, new: Sequence[NewChunk]) -> set[tuple[str, int]]:
    """Which of the chunks are stored. Their uploads are locked: nobody else stores one now."""
    query = select(chunks.c.upload_id, chunks.c.index).where(
        tuple_(chunks.c.upload_id, chunks.c.index).in_([key_of(each) for each in new])
    )
    return {(upload_id, index) for upload_id, index in connection.execute(query)}


def put_chunks(connection: Connection, new: Sequence[NewChunk], replaced: set[tuple[str, int]]) -> None:
    if replaced:
        connection.execute(_FORGET, [{"of": upload_id, "at": index} for upload_id, index in replaced])
    last = {key_of(each): each for each in new}.values()
    connection.execute(
        insert(chunks),
        [
            {
                "upload_id": each.upload_id,
                "index": each.chunk.index,
                "size": each.chunk.size,
                "crc32c": each.chunk.crc32c,
                "position": each.chunk.position,
            }
            for each in last
        ],
    )


def forgotten(connection: Connection, upload_id: str, indexes: Sequence[int]) -> dict[str, int]:
    """Without these chunks, what an upload's row has to say of those that are left."""
    if indexes:
        connection.execute(_FORGET, [{"of": upload_id, "at": index} for index in indexes])
    query = select(func.coalesce(func.sum(chunks.c.size), 0), func.count())
    size, number = connection.execute(query.where(chunks.c.upload_id == upload_id)).one()
    return {"stored_bytes": int(size), "stored_chunks": number}


def bring_home(connection: Connection, upload: Upload) -> None:
    """Chunks of a complete upload lie one behind the other, wherever they were written first."""
    home = chunks.c.index * cast(upload.chunk_size, BigInteger)
    connection.execute(update(chunks).where(chunks.c.upload_id == upload.id).values(position=home))


def chunk_of(row: RowMapping) -> Chunk:
    return Chunk(index=row["index"], size=row["size"], crc32c=row["crc32c"], position=row["position"])


def with_chunk(upload: Upload, new: NewChunk, *, is_new: bool) -> Upload:
    """The upload with one chunk more, or another one in its place; the refusal when it cannot have it."""
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


_FORGET = delete(chunks).where(chunks.c.upload_id == bindparam("of"), chunks.c.index == bindparam("at"))
