"""Abandoned uploads expire and live ones do not, whatever the wall clock shows."""

from collections.abc import Callable, Sequence

import pytest

from facecli.core.errors import UploadNotFound
from facecli.core.expiry_clock import GRACE, IdleTracker
from facecli.metadata.uploads import SqlUploadRepository
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from tests.support.builders import upload as some_upload
from tests.support.storage import CHUNK, EXPIRY, Clock, Content, Storage, send

FILE = Content(size=3 * CHUNK + 7)
YEAR = 365 * 86400.0
WEEK = 7 * 86400.0

Act = Callable[[UploadService, Upload], object]


def write(upload_service: UploadService, upload: Upload) -> None:
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [1])


ACTS: dict[str, Act] = {
    "begun again": lambda upload_service, upload: upload_service.begin(FILE.new),
    "begun again with others": lambda upload_service, upload: upload_service.begin_all(
        [(FILE.new, False)] * 2
    ),
    "written to": write,
    "sent a single chunk": lambda upload_service, upload: upload_service.put_chunk(
        upload.id, FILE.frame(0), owner="ann"
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_every_use_of_an_upload_restarts_its_expiry(
    upload_service: UploadService, storage: Storage, act: Act
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.wait(EXPIRY - 1)
    act(upload_service, upload)
    assert upload_service.get(upload.id, owner="ann").expires_at == storage.clock.now + EXPIRY
    storage.wait(EXPIRY - 1)
    assert upload_service.collector.expire() == 0
    storage.wait(1)
    assert upload_service.collector.expire() == 1


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_clock_jump_expires_no_upload(upload_service: UploadService, storage: Storage, act: Act) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.wait(EXPIRY - 1)
    act(upload_service, upload)
    storage.clock.now += YEAR
    assert upload_service.collector.expire() == 0
    storage.wait(EXPIRY - 1)
    assert upload_service.collector.expire() == 0
    storage.wait(1)
    assert upload_service.collector.expire() == 1


def test_an_upload_resumes_after_a_clock_jump_with_its_full_expiry(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    write(upload_service, upload)
    storage.clock.now += YEAR
    assert upload_service.collector.expire() == 0
    again, chunks = upload_service.begin(FILE.new)
    assert (again.id, [chunk.index for chunk in chunks]) == (upload.id, [1])
    storage.wait(EXPIRY - 1)
    assert upload_service.collector.expire() == 0


def test_a_wrong_clock_at_startup_expires_only_idle_uploads(
    upload_service: UploadService, storage: Storage
) -> None:
    upload_service.begin(FILE.new)
    storage.clock.now += YEAR
    restarted = storage.upload_service()
    assert restarted.collector.expire() == 0
    storage.wait(EXPIRY - 1)
    assert restarted.collector.expire() == 0
    storage.clock.now -= YEAR
    assert restarted.collector.expire() == 0
    storage.clock.now += YEAR
    storage.wait(1)
    assert restarted.collector.expire() == 0, "it was in time meanwhile"
    storage.wait(EXPIRY)
    assert restarted.collector.expire() == 1


def test_an_upload_written_by_another_process_does_not_expire(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.clock.now += YEAR
    other = storage.upload_service()
    assert other.collector.expire() == 0
    for index in (0, 1):
        storage.wait(EXPIRY - 1)
        upload_service.put_chunk(upload.id, FILE.frame(index), owner="ann")
        storage.clock.now += YEAR
        assert other.collector.expire() == 0


class LateRows(SqlUploadRepository):
    """A repository that runs `happens` after an upload was found and before it is prolonged."""

    happens: Callable[[], object]

    def prolong(self, upload_ids: Sequence[str], *, expires_at: float) -> Sequence[Upload]:
        self.happens()
        return super().prolong(upload_ids, expires_at=expires_at)


def test_an_upload_deleted_while_it_is_resumed_is_created_again(
    upload_service: UploadService, storage: Storage
) -> None:
    upload, _ = upload_service.begin(FILE.new)
    storage.wait(EXPIRY)
    repository = storage.opened(LateRows)
    repository.happens = upload_service.collector.expire
    again, chunks = storage.upload_service(repository=repository).begin(FILE.new)
    assert again.id != upload.id
    assert chunks == []
    with pytest.raises(UploadNotFound):
        upload_service.get(upload.id, owner="ann")


def test_the_grace_after_startup_is_at_most_an_hour() -> None:
    clock = Clock()
    idle_tracker, overdue = IdleTracker(expiry=WEEK, monotonic=clock), [some_upload(expires_at=1.0)]
    assert idle_tracker.expired(overdue) == []
    clock.now += GRACE - 1
    assert idle_tracker.expired(overdue) == []
    clock.now += 1
    assert idle_tracker.expired(overdue) == overdue
