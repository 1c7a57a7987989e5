"""The quota holds exactly, however many requests arrive at the same time, and at however many servers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.core.errors import FacecliError, FileTooLarge, QuotaReached
from facecli.uploads.quota import UserLimits
from tests.support.storage import CHUNK, Content, Storage

FILE = Content(size=3 * CHUNK)
PARALLEL = 8


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


@pytest.mark.parametrize("limits", [UserLimits(unfinished=3), UserLimits(stored=3 * 3 * CHUNK)])
def test_parallel_requests_at_two_servers_are_admitted_up_to_the_limit(
    tmp_path: Path, either_database: str, limits: UserLimits
) -> None:
    storage = Storage(tmp_path, either_database)
    servers = [storage.upload_service(of_user=limits) for _ in range(2)]

    def begun(number: int) -> bool:
        try:
            servers[number % 2].begin_all([(FILE.new, True)])
        except QuotaReached:
            return False
        return True

    with ThreadPoolExecutor(PARALLEL) as pool:
        assert sum(pool.map(begun, range(5 * PARALLEL))) == 3
    storage.close()


def test_an_upload_resumes_at_the_limit(storage: Storage) -> None:
    upload_service = storage.upload_service(of_user=UserLimits(unfinished=1, stored=FILE.new.size or 0))
    upload, _ = upload_service.begin(FILE.new)
    assert upload_service.begin(FILE.new)[0].id == upload.id


def test_each_user_has_a_separate_limit_even_in_one_call(storage: Storage) -> None:
    upload_service = storage.upload_service(of_user=UserLimits(unfinished=1))
    bobs = replace(FILE.new, owner="bob")
    upload_service.begin_all([(FILE.new, True), (bobs, True)])
    with pytest.raises(QuotaReached, match="bob already has 1 unfinished"):
        upload_service.begin(replace(bobs, name="other.mp4"))


@pytest.mark.parametrize(
    ("size", "total", "error"), [(None, 4, FileTooLarge), (3 * CHUNK + 1, 4, FileTooLarge), (None, 3, None)]
)
def test_a_file_of_unknown_size_counts_with_its_largest_size(
    storage: Storage, size: int | None, total: int, error: type[FacecliError] | None
) -> None:
    upload_service = storage.upload_service(of_user=UserLimits(stored=3 * CHUNK))
    new = replace(FILE.new, size=size, total_chunks=total)
    if error:
        with pytest.raises(error, match=f"the quota of a user is {3 * CHUNK}"):
            upload_service.begin(new)
    else:
        upload_service.begin(new)
