"""Garbage collection and integrity check of uploads in a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.blobs.file_cache import FileCache
from facecli.core.blobs import BlobStore, PartLayout
from facecli.core.damage import BlobVerifier, Damage
from facecli.uploads.upload import Upload
from facecli.uploads.verification import UploadVerifier
from tests.support.blobs.s3_servers import S3Server
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, send

FILE = Content(size=3 * CHUNK + 7)


class Bucketed:
    """Uploads in a bucket below a prefix of its own."""

    def __init__(self, directory: Path, server: S3Server) -> None:
        from facecli.blobs.s3.store import S3Blobs

        self.bucket = server.bucket()
        self.blobs: BlobStore = S3Blobs(self.bucket, FileCache(directory / "cache", limit=10**6), min_part=1)
        self.storage = Storage(directory)
        self.service = self.storage.upload_service(blobs=self.blobs)

    def send(self, chunks: int) -> Upload:
        upload, _ = self.service.begin(FILE.new)
        with self.service.writer(upload.id, owner="ann") as writer:
            return send(self.service, writer, FILE, range(chunks))

    def damage(self, upload: Upload, *, quick: bool = False) -> Damage | None:
        return UploadVerifier(
            repository=self.storage.repository(),
            verifier=BlobVerifier(self.blobs, on_bytes=lambda size: None),
            clock=self.storage.clock,
            expiry=EXPIRY,
            quick=quick,
        ).damage(self.service.get(upload.id, owner=None))


@pytest.fixture
def bucketed(tmp_path: Path, rclone: S3Server) -> Iterator[Bucketed]:
    stored = Bucketed(tmp_path, rclone)
    yield stored
    stored.storage.close()


def test_an_expired_upload_leaves_no_multipart_upload(bucketed: Bucketed) -> None:
    bucketed.send(2)
    assert bucketed.service.collector.expire() == 0
    bucketed.storage.wait(EXPIRY + 1)
    assert bucketed.service.collector.expire() == 1
    assert list(bucketed.bucket.uploads("")) == []


def test_abandoned_multipart_uploads_and_unknown_objects_are_orphans(bucketed: Bucketed) -> None:
    bucketed.send(2)
    bucketed.blobs.begin("uploads/dead", PartLayout(part_size=1, count=2, size=2)).close()
    bucketed.bucket.put("uploads/lost", b"abc")
    bucketed.bucket.put("parts/uploads/half/1-c0ffee", b"abcd")
    found = bucketed.service.collector.orphans()
    assert {item.id: item.size for item in found} == {"uploads/dead": 0, "uploads/half": 4, "uploads/lost": 3}
    for item in found:
        assert item.remove()
    assert [info.key for info, _ in bucketed.bucket.uploads("")] == bucketed.blobs.list("uploads")
    assert len(bucketed.blobs.list("uploads")) == 1


@pytest.mark.parametrize("quick", [False, True])
def test_an_intact_upload_is_found_whole(bucketed: Bucketed, quick: bool) -> None:
    assert bucketed.damage(bucketed.send(2), quick=quick) is None
    whole = bucketed.send(4)
    assert whole.completed
    assert bucketed.damage(whole, quick=quick) is None


def test_lost_chunks_are_found_and_forgotten(bucketed: Bucketed) -> None:
    upload = bucketed.send(2)
    for info, upload_id in bucketed.bucket.uploads(upload.blob_key):
        bucketed.bucket.abort_upload(info.key, upload_id)
    damage = bucketed.damage(upload)
    assert damage
    assert damage.repair
    assert "its file is missing" in damage.problem
    damage.repair()
    assert bucketed.service.get(upload.id, owner=None).stored_chunks == 0
    assert bucketed.send(4).completed


def test_a_missing_or_shorter_object_is_found_and_sent_again(bucketed: Bucketed) -> None:
    upload = bucketed.send(4)
    bucketed.bucket.put(upload.blob_key, FILE.data[: 2 * CHUNK])
    damage = bucketed.damage(upload, quick=True)
    assert damage
    assert damage.repair
    assert "chunks 2-3 lost" in damage.problem
    damage.repair()
    service = bucketed.service
    assert {chunk.index for chunk in service.begin(FILE.new)[1]} == {0, 1}
    with service.writer(upload.id, owner="ann") as writer:
        whole = send(service, writer, FILE, [2, 3])
    assert b"".join(bucketed.blobs.open(whole.blob_key, offset=0, block=CHUNK)) == FILE.data
