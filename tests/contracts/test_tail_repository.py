"""The contract of every TailRepository, and of uploads whose size comes later."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import TakenOver, UploadNotFound
from facecli.metadata.content.tails import SqlTailRepository
from facecli.metadata.database import open_database
from facecli.uploads.repository import UploadRepository
from facecli.uploads.tails import Tail, TailRepository
from tests.support.upload_repository import UNKNOWN_SIZE, chunk, insert, store

TAIL = Tail(offset=10, data=bytes(range(256)))


@pytest.fixture
def tails(upload_repository: UploadRepository, either_database: str) -> Iterator[TailRepository]:
    insert(upload_repository)
    engine = open_database(either_database)
    yield SqlTailRepository(engine)
    engine.dispose()


def test_an_upload_has_one_tail_the_last(tails: TailRepository) -> None:
    assert tails.get("u1") is None
    tails.put("u1", Tail(offset=0, data=b"before"), epoch=0)
    tails.put("u1", TAIL, epoch=0)
    assert tails.get("u1") == TAIL
    tails.delete("u1")
    assert tails.get("u1") is None
    tails.delete("u1")


def test_an_older_writer_cannot_replace_a_tail(
    tails: TailRepository, upload_repository: UploadRepository
) -> None:
    tails.put("u1", TAIL, epoch=0)
    upload_repository.claim("u1", now=1, expires_at=2)
    with pytest.raises(TakenOver):
        tails.put("u1", Tail(offset=10, data=b"late"), epoch=0)
    assert tails.get("u1") == TAIL


def test_a_tail_goes_with_its_upload(tails: TailRepository, upload_repository: UploadRepository) -> None:
    tails.put("u1", TAIL, epoch=0)
    upload_repository.delete("u1")
    assert tails.get("u1") is None
    with pytest.raises(UploadNotFound):
        tails.put("u1", TAIL, epoch=0)


def test_a_size_that_comes_later_never_falls_below_the_stored_bytes(
    upload_repository: UploadRepository,
) -> None:
    insert(upload_repository, UNKNOWN_SIZE)
    store(upload_repository, chunk(0))
    with pytest.raises(IntegrityError):
        upload_repository.fix_size("u1", size=9, total_chunks=1)
    upload = upload_repository.fix_size("u1", size=15, total_chunks=2)
    assert (upload.size, upload.total_chunks, upload.stored_bytes) == (15, 2, 10)
    assert upload_repository.get("u1") == upload
