"""Integrity check (fsck): every row of a database against the bytes in its data directory."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from facecli.core.damage import Damage, DamageKind
from facecli.core.garbage import Garbage, GarbageKind
from facecli.maintenance.rows import all_rows
from facecli.tasks.repository import TaskRepository
from facecli.tasks.verification import TaskVerifier
from facecli.uploads.repository import UploadRepository
from facecli.uploads.verification import UploadVerifier


class Inspection:
    """The integrity check of one data directory.

    `database_errors` are those of the database's own check; `orphans` finds bytes that no row refers to, and
    `rescue` moves them to lost+found; `usage` finds users whose usage is wrong; `directory` reports a
    directory that is newer than the database. A queue with `queue_problems` is repaired by
    `remove_queue`: the server rebuilds it from the tasks.
    """

    def __init__(
        self,
        *,
        uploads: UploadRepository,
        tasks: TaskRepository,
        upload_verifier: UploadVerifier,
        task_verifier: TaskVerifier,
        orphans: Callable[[], Sequence[Garbage]],
        rescue: Callable[[Garbage], object],
        database_errors: Sequence[str],
        usage: Callable[[], Iterable[Damage]],
        directory: Callable[[], Iterable[Damage]],
        queue_problems: Sequence[str],
        remove_queue: Callable[[], object],
    ) -> None:
        self._uploads = uploads
        self._tasks = tasks
        self._upload_verifier = upload_verifier
        self._task_verifier = task_verifier
        self._orphans = orphans
        self._rescue = rescue
        self._database_errors = database_errors
        self._usage = usage
        self._directory = directory
        self._queue_problems = queue_problems
        self._remove_queue = remove_queue

    def size(self) -> int:
        """Bytes to verify, as counted by the rows; 0 with a damaged database."""
        if self._database_errors:
            return 0
        stored = sum(upload.stored_bytes for upload in all_rows(self._uploads))
        return stored + sum(file.size for task in all_rows(self._tasks) for file in task.files)

    def damages(self) -> Iterator[Damage]:
        """Yield every damage found; it may be repaired before the next one is searched.

        A damaged database is compared with nothing: every file whose row is lost would be an orphan.
        """
        if self._queue_problems:
            yield self._queue_damage()
        if self._database_errors:
            yield from map(_database_damage, self._database_errors)
            return
        for upload in all_rows(self._uploads):
            if damage := self._upload_verifier.damage(upload):
                yield damage
        for task in all_rows(self._tasks):
            if damage := self._task_verifier.damage(task):
                yield damage
        yield from map(self._orphan_damage, self._orphans())
        yield from self._usage()  # after the repairs of uploads and tasks, which change it
        yield from self._directory()  # last: adopting an older database comes after the rescue of files

    def _orphan_damage(self, orphan: Garbage) -> Damage:
        """Checkpoints can be made again and are removed; other bytes may be the only copy."""
        derived = orphan.kind is GarbageKind.WORK
        return Damage(
            kind=DamageKind.ORPHAN,
            id=orphan.id,
            problem=f"{orphan.reason}, {orphan.size} bytes",
            remedy="it is removed" if derived else "it is moved to lost+found",
            repair=orphan.remove if derived else lambda: self._rescue(orphan),
        )

    def _queue_damage(self) -> Damage:
        return Damage(
            kind=DamageKind.DATABASE,
            id="queue",
            problem="; ".join(self._queue_problems),
            remedy="it is removed, and the next facecli serve rebuilds it from the tasks",
            repair=self._remove_queue,
        )


def _database_damage(problem: str) -> Damage:
    return Damage(
        kind=DamageKind.DATABASE,
        id="database",
        problem=problem,
        remedy="restore the database from a backup; nothing was compared with it",
        repair=None,
    )
