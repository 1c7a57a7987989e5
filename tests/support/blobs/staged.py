"""A small blob of three parts, for the contract of the blob stores."""

from collections.abc import Sequence

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout, StagedBlob

KEY = "uploads/u1"
LAYOUT = PartLayout(part_size=4, count=3, size=10)
PARTS = (b"0123", b"4567", b"89")


def content(blobs: BlobStore, key: str = KEY, *, offset: int = 0) -> bytes:
    return b"".join(blobs.open(key, offset=offset, block=4))


def put(blob: StagedBlob, index: int, data: bytes, *, replaces: str | None = None) -> Part:
    """Write, sync and commit a part."""
    writer = blob.part(index, replaces=replaces)
    writer.write(data[:3])
    writer.write(data[3:])
    token = writer.finish()
    assert token
    blob.sync([token])
    writer.commit()
    assert writer.token == token
    return Part(token=token, size=len(data))


def put_all(blob: StagedBlob) -> list[Part]:
    return [put(blob, index, data) for index, data in enumerate(PARTS)]


def holds(blobs: BlobStore, part: Part, data: bytes) -> bool:
    """Whether a part has these bytes, or at least as many where no part can be read."""
    if Capability.READS_PARTS in blobs.capabilities:
        return b"".join(blobs.read_part(KEY, part, block=3)) == data
    return blobs.has_part(KEY, part) and part.size == len(data)


def complete(blob: StagedBlob, parts: Sequence[Part]) -> None:
    """Bring the parts into order as a caller does that records each move, and complete the blob."""
    parts = list(parts)
    while moved := blob.rearrange(parts):
        before = [parts[index].token for index in moved]
        for index, token in moved.items():
            parts[index] = Part(token=token, size=parts[index].size)
        blob.release(before)
    blob.complete(parts)


def tokens(parts: Sequence[Part]) -> dict[int, str]:
    return {index: part.token for index, part in enumerate(parts)}
