"""Uploads with chunks of whole pages, and the space that they take on the disk."""

from pathlib import Path

from facecli.core.checksums import crc32c
from facecli.uploads.upload import Frame, NewUpload
from tests.support.storage import Storage

CHUNK = 64 * 1024  # bytes; whole pages, so that a freed chunk leaves the disk as a whole
CHUNKS = 4
SIZE = CHUNKS * CHUNK
PIECE = CHUNK // 4  # bytes of a frame

NEW = NewUpload.checked(
    owner="ann", name="clip.mp4", file_type="video", size=SIZE, chunk_size=CHUNK, fingerprint=0
)


def chunk(index: int, version: int) -> Frame:
    """A whole chunk; every version has other bytes."""
    data = bytes([index + 1, version]) * (CHUNK // 2)
    return Frame(offset=index * CHUNK, data=data, chunk_crc32c=crc32c(data), ends_chunk=True)


def piece(index: int, version: int) -> Frame:
    """The first frame of a chunk."""
    return Frame(offset=index * CHUNK, data=chunk(index, version).data[:PIECE])


def content(versions: dict[int, int]) -> bytes:
    return b"".join(bytes(chunk(index, versions[index]).data) for index in range(CHUNKS))


def allocated(storage: Storage) -> int:
    """Bytes that the uploads take on the disk, as `du` counts them."""
    files = [path for path in storage.blobs.root.rglob("*") if path.is_file()]
    return sum(_allocated(path) for path in files)


def _allocated(path: Path) -> int:
    return path.stat().st_blocks * 512
