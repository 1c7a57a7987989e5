"""A data directory with its database, opened as several processes would, and content to upload."""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import BlobStore, Part, PartLayout
from facecli.core.checksums import crc32c
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.core.garbage import OrphanPolicy
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.repository import UploadRepository
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Chunk, Frame, NewUpload, Upload
from facecli.uploads.writer import UploadWriter

CHUNK = 1000  # bytes; no multiple of a page, so that neighbours share one
FRAME = 300
EXPIRY = 60.0  # seconds
NO_LIMITS = UserLimits()

Rows = TypeVar("Rows")


class Clock:
    """A clock that tests advance, or set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Storage:
    """A data directory, a database and two clocks."""

    def __init__(self, directory: Path, database: str = "") -> None:
        self.clock = Clock()
        self.monotonic = Clock()
        self.blobs = LocalBlobs(directory / "data")
        self.events = EventBus()
        self._url = database or f"sqlite:///{directory}/facecli.db"
        self._closing = ExitStack()

    def wait(self, seconds: float) -> None:
        """Advance the wall clock and the monotonic clock."""
        self.clock.now += seconds
        self.monotonic.now += seconds

    def repository(self) -> SqlUploadRepository:
        """The repository of another process."""
        return self.opened(SqlUploadRepository)

    def opened(self, kind: Callable[[Engine], Rows]) -> Rows:
        engine = open_database(self._url)
        self._closing.callback(engine.dispose)
        schema.upgrade(engine)
        return kind(engine)

    def upload_service(
        self,
        *,
        repository: UploadRepository | None = None,
        blobs: BlobStore | None = None,
        max_file_size: int = 10**6,
        of_user: UserLimits = NO_LIMITS,
    ) -> UploadService:
        return UploadService(
            repository=repository or self.repository(),
            blobs=blobs or self.blobs,
            expiry_clock=ExpiryClock(wall=self.clock, monotonic=self.monotonic, expiry=EXPIRY),
            quota=Quota(self.opened(SqlUsageRepository), of_user),
            max_file_size=max_file_size,
            orphan_policy=any_age(self.clock),
            events=self.events,
        )

    def content(self, upload: Upload) -> bytes:
        return self.blobs.path(upload.blob_key).read_bytes()

    def stored(self, upload: Upload, chunk: Chunk) -> bytes:
        """The bytes of a stored chunk of an incomplete upload."""
        part = Part(token=chunk.token, size=chunk.size)
        return b"".join(self.blobs.read_part(upload.blob_key, part, block=chunk.size))

    def close(self) -> None:
        self._closing.close()


def any_age(clock: Callable[[], float]) -> OrphanPolicy:
    """A policy that lets every orphan go: its rows are of a time after that of all files."""
    return OrphanPolicy(newest_row=lambda: 1e18, clock=lambda: clock() + 1e18)


@dataclass(frozen=True)
class Content:
    """A file to send, with a seed that makes the same bytes every time."""

    size: int
    seed: int = 0

    @property
    def data(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size)

    @property
    def new(self) -> NewUpload:
        return NewUpload.checked(
            owner="ann", name="clip.mp4", file_type="video", size=self.size, chunk_size=CHUNK, fingerprint=0
        )

    @property
    def new_of_unknown_size(self) -> NewUpload:
        return replace(self.new, size=None, fingerprint=None)

    def chunk(self, index: int) -> bytes:
        return self.data[index * CHUNK : (index + 1) * CHUNK]

    def frame(self, index: int) -> Frame:
        """A whole chunk in one frame."""
        data = self.chunk(index)
        return Frame(offset=index * CHUNK, data=data, chunk_crc32c=crc32c(data), ends_chunk=True)

    def frames(self, index: int) -> list[Frame]:
        """A chunk in several frames, the checksum on the last."""
        return cut(self.frame(index), FRAME)


def stage(blobs: BlobStore, key: str, *, size: int) -> None:
    """Begin a blob, and write nothing to it."""
    blobs.begin(key, PartLayout(part_size=CHUNK, count=1, size=size)).close()


def cut(frame: Frame, size: int) -> list[Frame]:
    starts = range(0, len(frame.data), size)
    frames = [Frame(offset=frame.offset + start, data=frame.data[start : start + size]) for start in starts]
    return [*frames[:-1], replace(frames[-1], chunk_crc32c=frame.chunk_crc32c, ends_chunk=True)]


def written(writer: UploadWriter, frames: Iterable[Frame]) -> Chunk:
    """The chunk that the last of these frames finished; not stored yet."""
    chunks = [writer.write(frame) for frame in frames]
    assert chunks[:-1] == [None] * (len(chunks) - 1)
    assert chunks[-1] is not None
    return chunks[-1]


def send(
    upload_service: UploadService, writer: UploadWriter, content: Content, indexes: Sequence[int]
) -> Upload:
    """Send chunks, each acknowledged before the next; return the upload after the last."""
    upload = writer.file.upload
    for index in indexes:
        upload = upload_service.store(writer, written(writer, content.frames(index)))
    return upload


def send_all(upload_service: UploadService, content: Content, *, new: NewUpload | None = None) -> Upload:
    upload, _ = upload_service.begin(new or content.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        return send(upload_service, writer, content, range(upload.total_chunks))
