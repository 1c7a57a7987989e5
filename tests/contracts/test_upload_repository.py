"""The contract of every UploadRepository."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from facecli.core.errors import AlreadyExists, ChunkDiffers, InvalidInput, UploadNotFound
from facecli.tasks.repository import TaskRepository
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, FileType, NewUpload, Upload, UploadStatus
from tests.support.builders import upload as some_upload
from tests.support.upload_repository import NEW, UNKNOWN_SIZE, begun, chunk, insert, store, store_all


def test_a_new_upload_is_empty_and_incomplete(upload_repository: UploadRepository) -> None:
    upload = insert(upload_repository)
    assert upload == some_upload(fingerprint=7, created_at=100.0, updated_at=100.0, expires_at=150.0)
    assert upload_repository.get("u1") == upload
    assert upload_repository.chunks("u1") == []


def test_another_process_sees_stored_chunks(
    open_repositories: Callable[[], tuple[UploadRepository, TaskRepository]],
) -> None:
    first, second = open_repositories()[0], open_repositories()[0]
    insert(first)
    upload = store(first, chunk(1))
    assert second.get("u1") == upload
    assert second.chunks("u1") == [chunk(1)]


def test_an_upload_id_is_unique(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    with pytest.raises(AlreadyExists):
        insert(upload_repository)


def test_the_largest_numbers_fit(upload_repository: UploadRepository) -> None:
    size = 1_000_000 * 64 * 1024 * 1024
    huge = replace(NEW, size=size, chunk_size=64 * 1024 * 1024, total_chunks=1_000_000, fingerprint=2**32 - 1)
    assert insert(upload_repository, huge).size == size
    last = Chunk(index=999_999, size=64 * 1024 * 1024, crc32c=2**32 - 1, token="9" * 1000)
    store(upload_repository, last)
    assert upload_repository.chunks("u1") == [last]


def test_an_unknown_id_is_named(upload_repository: UploadRepository) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: upload_repository.get("nope"),
        lambda: upload_repository.claim("nope", now=1, expires_at=2),
        lambda: store(upload_repository, chunk(0), upload_id="nope"),
        lambda: upload_repository.complete("nope", crc32c=1, size=1, now=1),
    )
    for act in acts:
        with pytest.raises(UploadNotFound, match="there is no upload nope"):
            act()
    assert upload_repository.chunks("nope") == []
    assert not upload_repository.delete("nope")


def test_an_upload_is_visible_to_its_owner_only(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    owner = upload_repository.get("u1").owner
    assert upload_repository.get("u1", owner=owner) == upload_repository.get("u1")
    for other in ("nobody", ""):
        with pytest.raises(UploadNotFound, match="there is no upload u1"):
            upload_repository.get("u1", owner=other)


@pytest.mark.parametrize(
    "other",
    [
        replace(NEW, owner="bob"),
        replace(NEW, name="other.mp4"),
        replace(NEW, file_type=FileType.IMAGE),
        replace(NEW, size=26),
        replace(NEW, chunk_size=9),
        replace(NEW, fingerprint=8),
        replace(NEW, fingerprint=None),
    ],
)
def test_only_the_same_file_is_found(upload_repository: UploadRepository, other: NewUpload) -> None:
    upload = insert(upload_repository)
    assert upload_repository.find(NEW) == upload
    assert upload_repository.find(other) is None


def test_files_of_unknown_size_differ_by_their_number_of_chunks(upload_repository: UploadRepository) -> None:
    upload = insert(upload_repository, UNKNOWN_SIZE)
    assert upload_repository.find(UNKNOWN_SIZE) == upload
    assert upload_repository.find(replace(UNKNOWN_SIZE, total_chunks=4)) is None
    upload = store(upload_repository, chunk(2, size=5))
    assert upload_repository.find(UNKNOWN_SIZE) == upload


def test_the_newest_of_the_same_file_is_found(upload_repository: UploadRepository) -> None:
    insert(upload_repository, upload_id="b", now=200)
    insert(upload_repository, upload_id="a", now=300)
    insert(upload_repository, upload_id="c", now=100)
    found = upload_repository.find(NEW)
    assert found and found.id == "a"


def test_clients_that_begin_at_the_same_moment_share_an_upload(upload_repository: UploadRepository) -> None:
    clients = 4
    others = [begun(replace(NEW, name="other.mp4"), f"o{number}") for number in range(clients)]
    barrier = Barrier(clients)

    def begin(number: int) -> Sequence[Upload]:
        new = [begun(NEW, f"u{number}"), others[number]]
        barrier.wait()
        return upload_repository.insert(new, reusable={f"u{number}"})

    with ThreadPoolExecutor(clients) as pool:
        stored = list(pool.map(begin, range(clients)))
    assert len({shared.id for shared, _ in stored}) == 1
    assert [other for _, other in stored] == others
    assert len(upload_repository.page(after="")) == 1 + clients


def test_a_complete_upload_keeps_its_bytes(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    store_all(upload_repository)
    upload = upload_repository.complete("u1", crc32c=9, size=25, now=130)
    assert (upload.status, upload.crc32c, upload.size) == (UploadStatus.COMPLETED, 9, 25)
    assert upload.updated_at == 130
    with pytest.raises(ChunkDiffers):
        store(upload_repository, chunk(0))
    assert upload_repository.complete("u1", crc32c=1, size=25, now=140) == upload


def test_only_abandoned_incomplete_uploads_expire(upload_repository: UploadRepository) -> None:
    for upload_id, now in (("old", 100), ("older", 90), ("live", 140), ("done", 10)):
        insert(upload_repository, upload_id=upload_id, now=now)
    store_all(upload_repository, "done")
    upload_repository.complete("done", crc32c=9, size=25, now=12)
    assert [upload.id for upload in upload_repository.expired(150)] == ["older", "old"]
    assert not upload_repository.delete("live", expired_at=150)
    assert not upload_repository.delete("done", expired_at=1000)
    assert upload_repository.delete("old", expired_at=150)
    with pytest.raises(UploadNotFound):
        upload_repository.get("old")


def test_an_upload_prolonged_meanwhile_does_not_expire(upload_repository: UploadRepository) -> None:
    insert(upload_repository)
    (abandoned,) = upload_repository.expired(150)
    store(upload_repository, chunk(0), now=149)
    assert not upload_repository.delete(abandoned.id, expired_at=150)


def test_pages_are_sorted_newest_first(upload_repository: UploadRepository) -> None:
    for number in range(5):
        insert(upload_repository, upload_id=f"u{number}", now=100 + number // 2)
    insert(upload_repository, replace(NEW, owner="bob"), upload_id="bobs")
    first = upload_repository.listed("ann", limit=2, before="")
    second = upload_repository.listed("ann", limit=2, before=first[-1].id)
    third = upload_repository.listed("ann", limit=2, before=second[-1].id)
    assert [upload.id for upload in (*first, *second, *third)] == ["u4", "u3", "u2", "u1", "u0"]


def test_uploads_of_all_owners_are_paged_by_id(upload_repository: UploadRepository) -> None:
    for upload_id, owner in [("u2", "ann"), ("u1", "bob"), ("u3", "bob")]:
        insert(upload_repository, replace(NEW, owner=owner), upload_id)
    assert [upload.id for upload in upload_repository.page(after="")] == ["u1", "u2", "u3"]
    assert [upload.id for upload in upload_repository.page(after="u1")] == ["u2", "u3"]
    assert upload_repository.page(after="u3") == []


@pytest.mark.parametrize("before", ["bobs", "nope"])
def test_a_page_after_an_unknown_upload_is_refused(upload_repository: UploadRepository, before: str) -> None:
    insert(upload_repository, replace(NEW, owner="bob"), upload_id="bobs")
    with pytest.raises(InvalidInput):
        upload_repository.listed("ann", limit=2, before=before)


def test_incomplete_uploads_are_prolonged_and_deleted_ones_omitted(
    upload_repository: UploadRepository,
) -> None:
    insert(upload_repository, upload_id="begun")
    insert(upload_repository, upload_id="other")
    insert(upload_repository, upload_id="whole")
    whole = store_all(upload_repository, "whole")
    whole = upload_repository.complete("whole", crc32c=1, size=25, now=120.0)
    now = upload_repository.prolong(["gone", "begun", "whole"], expires_at=500.0)
    assert {upload.id: upload.expires_at for upload in now} == {"begun": 500.0, "whole": whole.expires_at}
    assert upload_repository.get("begun") in now
    assert [upload.id for upload in upload_repository.expired(499.0)] == ["other"]
