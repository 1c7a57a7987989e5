"""The contract of every UploadRepository for chunks."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from facecli.core.errors import InvalidInput, TakenOver
from facecli.tasks.repository import TaskRepository
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, UploadStatus
from tests.support.upload_repository import NEW, UNKNOWN_SIZE, chunk, insert, store


def test_stored_chunks_are_counted_and_returned_by_index(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    assert store(upload_repository, chunk(2, size=5)).stored_bytes == 5
    upload = store(upload_repository, chunk(0), now=120)
    assert (upload.stored_chunks, upload.stored_bytes) == (2, 15)
    assert (upload.updated_at, upload.expires_at) == (120, 170)
    assert upload_repository.chunks("u1") == [chunk(0), chunk(2, size=5)]


def test_a_replaced_chunk_counts_once(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    store(upload_repository, chunk(0))
    other = replace(chunk(0), crc32c=5, token="40")
    upload = store(upload_repository, other)
    assert (upload.stored_chunks, upload.stored_bytes) == (1, 10)
    assert upload_repository.chunks("u1") == [other]


def test_lost_chunks_are_missing_again(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    for stored in (chunk(0), chunk(1)):
        store(upload_repository, stored)
    upload = upload_repository.forget_chunks("u1", [1, 2])
    assert (upload.stored_chunks, upload.stored_bytes) == (1, 10)
    assert upload_repository.chunks("u1") == [chunk(0)]
    assert store(upload_repository, chunk(1)).stored_bytes == 20


def test_the_remaining_chunks_are_counted_again_when_some_are_deleted(
    upload_repository: UploadRepository,
) -> None:
    right = insert(upload_repository)
    upload_repository.delete("u1")
    upload_repository.insert([replace(right, stored_bytes=5, stored_chunks=1)])
    for stored in (chunk(0), chunk(1)):
        store(upload_repository, stored)
    upload = upload_repository.forget_chunks("u1", [1])
    assert (upload.stored_chunks, upload.stored_bytes) == (1, 10)
    assert upload_repository.forget_chunks("u1", []) == upload


def test_a_reopened_upload_has_only_the_intact_chunks(
    upload_repository: UploadRepository,
) -> None:
    insert(upload_repository)
    for stored in (replace(chunk(0), token="50"), chunk(1), chunk(2, size=5)):
        store(upload_repository, stored)
    completed = upload_repository.complete("u1", crc32c=7, size=25, now=120)
    upload = upload_repository.reopen("u1", [chunk(0), chunk(2, size=5)], now=130, expires_at=180)
    assert upload == replace(
        completed,
        status=UploadStatus.INCOMPLETE,
        crc32c=None,
        stored_chunks=2,
        stored_bytes=15,
        updated_at=130,
        expires_at=180,
    )
    assert upload_repository.get("u1") == upload
    assert upload_repository.chunks("u1") == [chunk(0), chunk(2, size=5)]
    assert upload_repository.reopen("u1", [chunk(2, size=5)], now=131, expires_at=181).stored_bytes == 5
    store(upload_repository, replace(chunk(0), token="70"))
    store(upload_repository, chunk(1))
    assert [stored.token for stored in upload_repository.chunks("u1")] == ["70", "10", "20"]


def test_the_last_chunk_sets_an_unknown_size(upload_repository: UploadRepository) -> None:
    insert(upload_repository, UNKNOWN_SIZE)
    assert store(upload_repository, chunk(0)).size is None
    upload = store(upload_repository, chunk(2, size=3))
    assert (upload.size, upload.stored_bytes) == (23, 13)
    with pytest.raises(InvalidInput):
        store(upload_repository, chunk(2, size=4))


@pytest.mark.parametrize("wrong", [chunk(0, size=9), chunk(2, size=6), chunk(3), replace(chunk(0), index=-1)])
def test_a_chunk_that_does_not_fit_is_refused(upload_repository: UploadRepository, wrong: Chunk) -> None:
    before = insert(upload_repository)
    with pytest.raises(InvalidInput):
        store(upload_repository, wrong)
    assert upload_repository.get("u1") == before


def test_after_a_claim_no_earlier_writer_stores(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    first = upload_repository.claim("u1", now=101, expires_at=151)
    second = upload_repository.claim("u1", now=102, expires_at=152)
    assert (first.epoch, second.epoch, second.expires_at) == (1, 2, 152)
    with pytest.raises(TakenOver):
        store(upload_repository, chunk(0), epoch=first.epoch)
    assert upload_repository.chunks("u1") == []
    store(upload_repository, chunk(0), epoch=second.epoch)
    store(upload_repository, chunk(1), epoch=None)
    assert upload_repository.get("u1").stored_chunks == 2


def test_deleting_an_upload_deletes_its_chunks(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    store(upload_repository, chunk(0))
    assert upload_repository.delete("u1")
    assert upload_repository.chunks("u1") == []
    insert(upload_repository)
    assert upload_repository.chunks("u1") == []


def test_concurrent_writers_lose_no_chunk(
    open_repositories: Callable[[], tuple[UploadRepository, TaskRepository]],
) -> None:
    processes = [open_repositories()[0], open_repositories()[0]]
    insert(processes[0], replace(NEW, size=400, total_chunks=40))
    start = threading.Barrier(8)

    def work(worker: int) -> None:
        start.wait()
        for index in range(worker, 40, 8):
            store(processes[worker % 2], chunk(index))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    upload = processes[0].get("u1")
    assert (upload.stored_chunks, upload.stored_bytes) == (40, 400)
    assert [stored.index for stored in processes[1].chunks("u1")] == list(range(40))
