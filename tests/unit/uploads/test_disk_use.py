"""Replaced chunks: a user's uploads take no more space on the disk than the quota counts."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from facecli.core.errors import ChunkDiffers, QuotaReached
from facecli.metadata.usage import SqlUsageRepository
from facecli.uploads.quota import UserLimits
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from facecli.uploads.writer import UploadWriter
from tests.support.storage import Storage
from tests.unit.uploads.disk_use import CHUNK, CHUNKS, NEW, SIZE, allocated, chunk, content, piece

MAP_BYTES = 4096  # a block that the file system adds for the map of a file in many pieces
indexes = st.integers(0, CHUNKS - 1)
versions = st.integers(0, 5)


@pytest.fixture
def upload(upload_service: UploadService) -> Upload:
    return upload_service.begin(NEW)[0]


def put(upload_service: UploadService, upload: Upload, index: int, version: int) -> Upload:
    return upload_service.put_chunk(upload.id, chunk(index, version), owner="ann")


def test_sixty_versions_of_a_chunk_take_the_space_of_one(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    for version in range(60):
        put(upload_service, upload, 0, version)
        assert allocated(storage) <= SIZE
    with upload_service.writer(upload.id, owner="ann") as writer:
        for version in range(60):
            written = writer.write(chunk(1, version))
            assert written
            upload_service.store(writer, written)
            assert allocated(storage) <= SIZE
    (first, _) = upload_service.chunks(upload.id)
    assert storage.stored(upload, first) == chunk(0, 59).data


def test_a_second_version_counts_while_it_is_written(storage: Storage) -> None:
    upload_service = storage.upload_service(of_user=UserLimits(stored=SIZE + CHUNK))
    upload, _ = upload_service.begin(NEW)
    put(upload_service, upload, 0, 0)
    with upload_service.writer(upload.id, owner="ann") as writer:
        writer.write(piece(0, 1))
        with pytest.raises(QuotaReached):
            upload_service.begin(NEW, fresh=True)
        put(upload_service, upload, 1, 0)
        with pytest.raises(QuotaReached, match="a second version of chunk 1 of clip"):
            put(upload_service, upload, 1, 1)
    assert put(upload_service, upload, 1, 1).stored_chunks == 2


def test_stored_bytes_may_be_sent_again_when_the_quota_is_full(storage: Storage) -> None:
    upload_service = storage.upload_service(of_user=UserLimits(stored=SIZE))
    upload, _ = upload_service.begin(NEW)
    for _ in range(3):
        assert put(upload_service, upload, 0, 0).stored_chunks == 1
    with pytest.raises(QuotaReached):
        put(upload_service, upload, 0, 1)
    for index in (1, 2, 3):
        upload = put(upload_service, upload, index, 0)
    assert upload.completed
    assert storage.content(upload) == content(dict.fromkeys(range(CHUNKS), 0))
    assert allocated(storage) == SIZE


def test_a_cancelled_upload_takes_no_space_though_its_writers_are_open(
    upload_service: UploadService, storage: Storage, upload: Upload
) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        writer.write(piece(0, 0))
        held = storage.blobs.path(upload.blob_key).open("rb")
        upload_service.cancel(upload.id, owner="ann")
        with held:
            assert os.fstat(held.fileno()).st_blocks == 0


class RewritingMachine(RuleBasedStateMachine):
    """Chunks are replaced by a stream and by single calls; streams are cut, superseded and cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = ExitStack()
        self.storage = Storage(Path(self.directory.enter_context(tempfile.TemporaryDirectory())))
        self.repository = self.storage.repository()
        self.usage = self.storage.opened(SqlUsageRepository)
        self.stored: dict[int, int] = {}
        self.streams = ExitStack()
        self.writer: UploadWriter | None = None
        self.begun: int | None = None

    @initialize(spare=st.integers(0, 2))
    def begin(self, spare: int) -> None:
        self.limit = SIZE + spare * CHUNK
        self.restart()
        self.upload, _ = self.upload_service.begin(NEW)

    @rule()
    def restart(self) -> None:
        self.streams.close()
        self.writer = self.begun = None
        self.upload_service = self.storage.upload_service(
            repository=self.repository, of_user=UserLimits(stored=self.limit)
        )
        self.upload_service.collector.sweep()

    @rule()
    def open_stream(self) -> None:
        self.begun = None
        self.writer = self.streams.enter_context(self.upload_service.writer(self.upload.id, owner="ann"))

    @precondition(lambda self: self.writer)
    @rule(index=indexes, version=versions, whole=st.booleans())
    def stream(self, index: int, version: int, whole: bool) -> None:
        assert self.writer
        self.begun = None if whole else index
        if not whole:
            self.writer.write(piece(index, version))
            return
        try:
            written = self.writer.write(chunk(index, version))
            assert written
            self.upload_service.store(self.writer, written)
        except (ChunkDiffers, QuotaReached) as error:
            self.check_refusal(error, index, version)
        else:
            self.stored[index] = version

    @rule(index=indexes, version=versions)
    def put(self, index: int, version: int) -> None:
        if index == self.begun:
            return  # it would wait for the stream
        try:
            self.upload_service.put_chunk(self.upload.id, chunk(index, version), owner="ann")
        except (ChunkDiffers, QuotaReached) as error:
            self.check_refusal(error, index, version)
        else:
            self.stored[index] = version

    def check_refusal(self, error: Exception, index: int, version: int) -> None:
        assert self.stored[index] != version, "the same bytes are never refused"
        if isinstance(error, QuotaReached):
            assert self.limit < SIZE + 2 * CHUNK, "there was room for the stream and the single chunk"

    @invariant()
    def the_quota_counts_what_is_on_the_disk(self) -> None:
        in_flight = CHUNK if self.begun in self.stored else 0
        assert allocated(self.storage) <= min(SIZE + in_flight, self.limit) + MAP_BYTES
        assert self.usage.of("ann").stored == SIZE

    @invariant()
    def stored_chunks_have_their_bytes(self) -> None:
        upload, chunks = self.upload_service.get(self.upload.id, owner="ann"), self.upload_service.chunks
        if upload.completed:
            assert self.storage.content(upload) == content(self.stored)
        else:
            for each in chunks(upload.id):
                assert self.storage.stored(upload, each) == chunk(each.index, self.stored[each.index]).data

    def teardown(self) -> None:
        self.streams.close()
        self.storage.close()
        self.directory.close()


TestRewriting = pytest.mark.slow(RewritingMachine.TestCase)
TestRewriting.settings = settings(
    max_examples=15, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]
)
