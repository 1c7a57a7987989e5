"""Chunks as rows."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, tuple_

from facecli.core.uploads import Chunk, NewChunk
from facecli.metadata.tables import chunks


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


def chunk_of(row: RowMapping) -> Chunk:
    return Chunk(index=row["index"], size=row["size"], crc32c=row["crc32c"], position=row["position"])


_FORGET = delete(chunks).where(chunks.c.upload_id == bindparam("of"), chunks.c.index == bindparam("at"))
