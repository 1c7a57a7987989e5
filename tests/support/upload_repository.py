"""Uploads and chunks for the contract suites of the repositories."""

from dataclasses import replace

from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, FileType, NewChunk, NewUpload, Upload

NEW = NewUpload(
    owner="ann",
    name="clip.mp4",
    file_type=FileType.VIDEO,
    size=25,
    chunk_size=10,
    total_chunks=3,
    fingerprint=7,
)
UNKNOWN_SIZE = replace(NEW, size=None, fingerprint=None)


def insert(
    repository: UploadRepository, new: NewUpload = NEW, upload_id: str = "u1", now: float = 100.0
) -> Upload:
    upload = begun(new, upload_id, now)
    repository.insert([upload])
    return upload


def begun(new: NewUpload, upload_id: str, now: float = 100.0) -> Upload:
    return Upload.begun(
        new, upload_id=upload_id, blob_key=f"uploads/{upload_id}", now=now, expires_at=now + 50
    )


def chunk(index: int, size: int = 10, crc32c: int = 0xFFFFFFFF) -> Chunk:
    return Chunk(index=index, size=size, crc32c=crc32c, token=str(index * 10))


def store(
    repository: UploadRepository,
    stored: Chunk,
    *,
    epoch: int | None = None,
    upload_id: str = "u1",
    now: float = 110.0,
) -> Upload:
    new = NewChunk(upload_id=upload_id, epoch=epoch, chunk=stored)
    (upload,) = repository.store_chunks([new], now=now, expires_at=now + 50)
    return upload


def store_all(repository: UploadRepository, upload_id: str = "u1") -> Upload:
    for stored in (chunk(0), chunk(1), chunk(2, size=5)):
        upload = store(repository, stored, upload_id=upload_id)
    return upload
