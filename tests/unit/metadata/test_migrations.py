"""Migrations of rows written by older versions."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from facecli.blobs.local.store import LocalBlobs
from facecli.core.checksums import crc32c
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.tasks import transitions
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.service import UploadService
from tests.support.storage import CHUNK, Content, any_age, send

TASK: dict[str, object] = {
    "id": "t1",
    "owner": "ann",
    "status": "processing",
    "progress": 40,
    "stage": "swapping",
    "revision": 7,
    "round": 1,
    "attempt": 2,
    "run": "r1",
    "worker": "w1",
    "engine": "mock",
    "options": "{}",
    "image_id": "i1",
    "video_id": "v1",
    "image_url": "/i",
    "video_url": "/v",
    "error_reason": "",
    "error_message": "",
    "created_at": 1.0,
    "updated_at": 2.0,
}


UPLOAD: dict[str, object] = {
    "id": "u1",
    "blob_key": "uploads/u1",
    "owner": "ann",
    "name": "clip.mp4",
    "file_type": "video",
    "size": 3 * CHUNK,
    "chunk_size": CHUNK,
    "total_chunks": 3,
    "fingerprint": 0,
    "status": "incomplete",
    "epoch": 1,
    "stored_bytes": 2 * CHUNK,
    "stored_chunks": 2,
    "created_at": 1.0,
    "updated_at": 2.0,
    "expires_at": 3.0,
}


def insert(connection: Connection, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def migrate(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_task_of_the_first_schema_is_migrated(either_database: str) -> None:
    engine = open_database(either_database)
    migrate(engine, "0001")
    with writing(engine) as connection:
        insert(connection, "tasks", TASK)
    schema.upgrade(engine)
    repository = SqlTaskRepository(engine)
    task = repository.get("t1")
    assert (task.progress, task.frames_done, task.frames, task.attempt) == (40, 0, 0, 2)
    cancelled = repository.change("t1", transitions.cancel, now=3.0)
    assert cancelled.ended
    engine.dispose()


def test_an_upload_begun_before_chunks_had_tokens_resumes(either_database: str, tmp_path: Path) -> None:
    """Chunk 0 lies at home, chunk 1 was replaced and lies behind the end of the file."""
    engine, file, spare = open_database(either_database), Content(size=3 * CHUNK), 3 * CHUNK
    migrate(engine, "0007")
    with writing(engine) as connection:
        insert(connection, "uploads", UPLOAD)
        for index, position in ((0, 0), (1, spare)):
            checksum = crc32c(file.chunk(index))
            row = {"upload_id": "u1", "index": index, "size": CHUNK, "crc32c": checksum, "position": position}
            insert(connection, "chunks", row)
    blobs = LocalBlobs(tmp_path / "data")
    path = blobs.root / "uploads" / "u1" / "data"
    path.parent.mkdir(parents=True)
    path.write_bytes(file.chunk(0) + bytes(2 * CHUNK) + file.chunk(1))
    schema.upgrade(engine)
    upload_service = UploadService(
        repository=SqlUploadRepository(engine),
        blobs=blobs,
        expiry_clock=ExpiryClock(wall=time.time, monotonic=time.monotonic, expiry=60),
        quota=Quota(SqlUsageRepository(engine), UserLimits()),
        max_file_size=10**6,
        orphan_policy=any_age(time.time),
        events=EventBus(),
    )
    upload, chunks = upload_service.begin(file.new)
    assert (upload.id, [chunk.token for chunk in chunks]) == ("u1", ["0", str(spare)])
    with upload_service.writer("u1", owner="ann") as writer:
        finished = send(upload_service, writer, file, [2])
    assert finished.completed
    assert blobs.path(finished.blob_key).read_bytes() == file.data
    engine.dispose()
