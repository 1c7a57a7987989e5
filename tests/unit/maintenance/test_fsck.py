"""The integrity check covers every upload, task and orphan."""

from collections.abc import Sequence

import pytest

from facecli.core.damage import BlobVerifier, DamageKind
from facecli.maintenance.fsck import Inspection
from facecli.metadata.uploads import SqlUploadRepository
from facecli.tasks.task import Task
from facecli.tasks.verification import TaskVerifier
from facecli.uploads.upload import Upload
from facecli.uploads.verification import UploadVerifier
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, send_all, stage
from tests.unit.tasks.test_collector import Ended


class ShortPages(SqlUploadRepository):
    def page(self, *, after: str) -> Sequence[Upload]:
        return super().page(after=after)[:2]


@pytest.fixture
def damaged(storage: Storage) -> tuple[list[Upload], Task]:
    """Three uploads without their bytes, and a completed task whose result is another."""
    uploads = [send_all(storage.upload_service(), Content(size=2 * CHUNK + extra)) for extra in (1, 2, 3)]
    for upload in uploads:
        storage.blobs.path(upload.blob_key).unlink()
    task = Ended(storage).completed("t1")
    stage(storage.blobs, "uploads/dead", size=5)
    return uploads, task


def inspection(storage: Storage, database_errors: Sequence[str] = ()) -> Inspection:
    ended, repository = Ended(storage), storage.opened(ShortPages)
    verifier = BlobVerifier(storage.blobs, on_bytes=lambda size: None)
    uploads = UploadVerifier(
        repository=repository, verifier=verifier, clock=storage.clock, expiry=EXPIRY, quick=False
    )
    return Inspection(
        uploads=repository,
        tasks=ended.repository,
        upload_verifier=uploads,
        task_verifier=TaskVerifier(tasks=ended.tasks, verifier=verifier, quick=False),
        orphans=storage.upload_service().collector.orphans,
        rescue=lambda orphan: None,
        database_errors=database_errors,
        usage=list,
        directory=list,
        queue_problems=[],
        remove_queue=lambda: None,
    )


def test_every_upload_task_and_orphan_is_checked(
    storage: Storage, damaged: tuple[list[Upload], Task]
) -> None:
    uploads, task = damaged
    check = inspection(storage)
    assert check.size() == sum(upload.stored_bytes for upload in uploads) + sum(
        file.size for file in task.files
    )
    found = [(damage.kind, damage.id) for damage in check.damages()]
    assert found == [
        *((DamageKind.UPLOAD, upload_id) for upload_id in sorted(upload.id for upload in uploads)),
        (DamageKind.TASK, task.id),
        (DamageKind.ORPHAN, "uploads/dead"),
    ]


@pytest.mark.usefixtures("damaged")
def test_a_damaged_database_is_compared_with_nothing(storage: Storage) -> None:
    check = inspection(storage, ["wrong # of entries in index"])
    assert check.size() == 0
    (damage,) = check.damages()
    assert (damage.kind, damage.repair) == (DamageKind.DATABASE, None)
    assert damage.problem == "wrong # of entries in index"
