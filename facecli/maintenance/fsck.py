"""Compares all that a data directory's database knows with what its disk holds."""

from collections.abc import Callable, Iterator, Sequence

from facecli.core.damage import Damage, DamageKind
from facecli.core.garbage import Leftover
from facecli.tasks.task import TaskRows, TaskStatus
from facecli.tasks.verification import TaskCheck
from facecli.uploads.repository import UploadRows
from facecli.uploads.upload import Upload
from facecli.uploads.verification import UploadCheck


class Inspection:
    """`complaints` are the database's about itself, `orphans` what no row knows."""

    def __init__(
        self,
        *,
        uploads: UploadRows,
        tasks: TaskRows,
        upload_check: UploadCheck,
        task_check: TaskCheck,
        orphans: Callable[[], Sequence[Leftover]],
        complaints: Sequence[str],
    ) -> None:
        self._uploads = uploads
        self._tasks = tasks
        self._upload_check = upload_check
        self._task_check = task_check
        self._orphans = orphans
        self._complaints = complaints

    def size(self) -> int:
        """Bytes that the rows tell of, as far as these can be believed."""
        if self._complaints:
            return 0
        results = (task.result for task in self._tasks.with_status(TaskStatus.COMPLETED))
        stored = sum(upload.stored_bytes for upload in self._all_uploads())
        return stored + sum(result.size for result in results if result)

    def damages(self) -> Iterator[Damage]:
        """One for every thing that is damaged; it may be repaired before the next is looked for.

        With a database that is damaged itself nothing is compared: what it has forgotten would be an orphan.
        """
        if self._complaints:
            yield from map(_complaint, self._complaints)
            return
        for upload in self._all_uploads():
            if damage := self._upload_check.damage(upload):
                yield damage
        for task in self._tasks.with_status(TaskStatus.COMPLETED):
            if damage := self._task_check.damage(task):
                yield damage
        yield from map(_stray, self._orphans())

    def _all_uploads(self) -> Iterator[Upload]:
        last = ""
        while page := self._uploads.page(after=last):
            yield from page
            last = page[-1].id


def _complaint(said: str) -> Damage:
    return Damage(
        kind=DamageKind.DATABASE,
        id="database",
        what=said,
        cure="restore the database from a backup; nothing was compared with it",
        repair=None,
    )


def _stray(leftover: Leftover) -> Damage:
    return Damage(
        kind=DamageKind.ORPHAN,
        id=leftover.id,
        what=f"{leftover.why}, {leftover.size} bytes",
        cure="it is removed",
        repair=leftover.remove,
    )
