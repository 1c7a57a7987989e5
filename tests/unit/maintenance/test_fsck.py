"""All that is kept is compared, however much it is."""

from collections.abc import Sequence

import pytest

from facecli.core.damage import DamageKind, Reader
from facecli.maintenance.fsck import Inspection
from facecli.metadata.uploads import SqlUploadRows
from facecli.tasks.task import Task
from facecli.tasks.verification import TaskCheck
from facecli.uploads.upload import Upload
from facecli.uploads.verification import UploadCheck
from tests.support.storage import CHUNK, EXPIRY, Content, Place, send_all
from tests.unit.tasks.test_collector import Ended


class ShortPages(SqlUploadRows):
    def page(self, *, after: str) -> Sequence[Upload]:
        return super().page(after=after)[:2]


@pytest.fixture
def kept(place: Place) -> tuple[list[Upload], Task]:
    """Three uploads without their bytes, and a completed task whose result is another."""
    uploads = [send_all(place.inbox(), Content(size=2 * CHUNK + extra)) for extra in (1, 2, 3)]
    for upload in uploads:
        place.blobs.path(upload.blob_key).unlink()
    task = Ended(place).completed("t1")
    place.blobs.create("uploads/dead", size=5)
    return uploads, task


def inspection(place: Place, complaints: Sequence[str] = ()) -> Inspection:
    ended, rows = Ended(place), place.opened(ShortPages)
    reader = Reader(place.blobs, passed=lambda size: None)
    uploads = UploadCheck(rows=rows, reader=reader, clock=place.clock, expiry=EXPIRY, quick=False)
    return Inspection(
        uploads=rows,
        tasks=ended.rows,
        upload_check=uploads,
        task_check=TaskCheck(rows=ended.rows, reader=reader, clock=place.clock, quick=False),
        orphans=place.inbox().removal.orphans,
        complaints=complaints,
    )


def test_every_upload_task_and_orphan_is_looked_at(place: Place, kept: tuple[list[Upload], Task]) -> None:
    uploads, task = kept
    looking = inspection(place)
    assert looking.size() == sum(upload.stored_bytes for upload in uploads) + 1
    found = [(damage.kind, damage.id) for damage in looking.damages()]
    assert found == [
        *((DamageKind.UPLOAD, upload_id) for upload_id in sorted(upload.id for upload in uploads)),
        (DamageKind.TASK, task.id),
        (DamageKind.ORPHAN, "uploads/dead"),
    ]


@pytest.mark.usefixtures("kept")
def test_a_damaged_database_is_compared_with_nothing(place: Place) -> None:
    looking = inspection(place, ["wrong # of entries in index"])
    assert looking.size() == 0
    (damage,) = looking.damages()
    assert (damage.kind, damage.repair) == (DamageKind.DATABASE, None)
    assert damage.what == "wrong # of entries in index"
