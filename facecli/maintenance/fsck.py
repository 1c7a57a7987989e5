"""Compares all that a data directory's database knows with what its disk holds."""

from collections.abc import Callable, Iterator, Sequence

from facecli.core.damage import Damage, DamageKind
from facecli.core.garbage import Garbage
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import TaskStatus
from facecli.tasks.verification import TaskVerifier
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Upload
from facecli.uploads.verification import UploadVerifier


class Inspection:
    """`complaints` are the database's about itself, `orphans` what no row knows."""

    def __init__(
        self,
        *,
        uploads: UploadRepository,
        tasks: TaskRepository,
        upload_verifier: UploadVerifier,
        task_verifier: TaskVerifier,
        orphans: Callable[[], Sequence[Garbage]],
        complaints: Sequence[str],
    ) -> None:
        self._uploads = uploads
        self._tasks = tasks
        self._upload_check = upload_verifier
        self._task_check = task_verifier
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
        problem=said,
        remedy="restore the database from a backup; nothing was compared with it",
        repair=None,
    )


def _stray(leftover: Garbage) -> Damage:
    return Damage(
        kind=DamageKind.ORPHAN,
        id=leftover.id,
        problem=f"{leftover.reason}, {leftover.size} bytes",
        remedy="it is removed",
        repair=leftover.remove,
    )
