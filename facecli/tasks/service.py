"""TaskService: creates (with idempotency keys), watches, cancels, retries, deletes tasks; reads logs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from facecli.core.errors import InvalidInput, KeyReused, NotReady, ResultMissing, TaskNotFound
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.tasks import transitions
from facecli.tasks.collector import TaskCollector
from facecli.tasks.feed import TaskFeed
from facecli.tasks.inputs.task_inputs import TaskInputs
from facecli.tasks.logs.record import TaskLog
from facecli.tasks.logs.repository import TaskLogRepository
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.provenance.chain import ChainedRecord, ProvenanceRepository
from facecli.tasks.provenance.terms import NO_TERMS, Terms
from facecli.tasks.queue import TaskQueue
from facecli.tasks.selection import TaskSelection, TaskSnapshot
from facecli.tasks.store import TaskStore
from facecli.tasks.task import UNKNOWN, NewTask, Origin, Result, Task, TaskFilter, TaskStatus
from facecli.uploads.quota import Quota

MIN_PREFIX = 4  # characters of an id that can stand for it
MAX_CANDIDATES = 10  # that the refusal of an ambiguous reference lists


class TaskService:
    """The entry point to tasks for every transport. Safe to use from many threads.

    `noted` adds to a task that is returned what is true of it now, such as that no worker runs its engine.
    """

    def __init__(
        self,
        *,
        tasks: TaskStore,
        logs: TaskLogRepository,
        provenance: ProvenanceRepository,
        inputs: TaskInputs,
        feed: TaskFeed,
        queue: TaskQueue,
        quota: Quota,
        collector: TaskCollector,
        noted: Callable[[Task], Task],
    ) -> None:
        self._tasks = tasks
        self._logs = logs
        self._provenance = provenance
        self._server_log = ServerLog(logs, clock=tasks.clock)
        self._inputs = inputs
        self._feed = feed
        self._queue = queue
        self._quota = quota
        self._collector = collector
        self._noted = noted

    def create(
        self,
        *,
        owner: str,
        image_url: str,
        video_url: str,
        engine: str = "",
        options: Mapping[str, str],
        part: VideoPart = WHOLE,
        key: str | None = None,
        fresh: bool = False,
        terms: Terms = NO_TERMS,
        origin: Origin = UNKNOWN,
        active: Callable[[], bool] = lambda: True,
    ) -> Task:
        """Create a durable task that will run. Idempotency: the same `key` and content return the same task.

        With `fresh` an ended task with this key is not returned: the key passes to a new task.
        `active` is whether the caller still waits. UploadNotFound, UploadUnfinished, MediaRefused,
        InvalidInput, KeyReused or QuotaReached; Cancelled, TooManyCalls or Unavailable as `Probes.infos`;
        PolicyRefused for terms against the rules of this server.
        """
        self._inputs.check_terms(terms)
        new = self._inputs.checked(
            owner=owner,
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=options,
            part=part,
            key=key,
            fresh=fresh,
            terms=terms,
            active=active,
        )
        new = replace(new, origin=origin)
        task = self._tasks.repository.with_key(owner, key) if key else None
        if task is None or (fresh and task.ended):
            with self._quota.task() as admit:
                task = self._tasks.create(new, admit=admit)
        if not _is_same(task, new):
            raise KeyReused(f"the key {key} belongs to task {task.id}, which has other content")
        if not task.ended:
            self._queue.enqueue(work_id=task.work_id, task_id=task.id, engine=task.engine)
        return self._noted(task)

    def check(self, *, engine: str, options: Mapping[str, str], terms: Terms = NO_TERMS) -> tuple[str, str]:
        """The name and version of the engine that would run; InvalidInput for a wrong engine or option.

        PolicyRefused as `create`.
        """
        found = self._inputs.checked_engine(engine, options)
        self._inputs.check_terms(terms)
        return found

    def find(self, reference: str, *, owner: str) -> Task:
        """The task with this id or idempotency key, or whose id alone begins with the reference.

        TaskNotFound, or InvalidInput with the candidates if there are several.
        """
        found = self._tasks.repository.find(owner, reference, limit=MAX_CANDIDATES + 1)
        exact = [task for task in found if reference in {task.id, task.key}]
        if len(reference) < MIN_PREFIX and not exact:
            raise TaskNotFound(
                f"there is no task {reference}; the beginning of an ID needs at least {MIN_PREFIX} characters"
            )
        match exact or found:
            case []:
                raise TaskNotFound(f"there is no task {reference[:100]}")
            case [task]:
                return self._noted(task)
            case several:
                ids = ", ".join(task.id for task in several[:MAX_CANDIDATES])
                more = " and others" if len(several) > MAX_CANDIDATES else ""
                raise InvalidInput(f"several tasks begin with {reference}: {ids}{more}")

    def get(self, task_id: str, *, owner: str | None) -> Task:
        """TaskNotFound for an unknown id and for another owner's alike; owner None skips that check."""
        return self._noted(self._tasks.repository.get(task_id, owner=owner))

    def listed(self, wanted: TaskFilter, *, owner: str, limit: int, before: str) -> Sequence[Task]:
        """A page of tasks, newest first; InvalidInput for a status that does not exist."""
        if wanted.status and wanted.status not in set(TaskStatus):
            raise InvalidInput(f"there is no status {wanted.status!r}; use one of {', '.join(TaskStatus)}")
        page = self._tasks.repository.listed(owner, wanted, limit=limit, before=before)
        return [self._noted(task) for task in page]

    def log(self, task_id: str, *, owner: str) -> TaskLog:
        """The log of a task, whether it has ended or not; TaskNotFound also for another owner's task."""
        return self._logs.read(self.get(task_id, owner=owner).id)

    def provenance(self, task_id: str, *, owner: str | None) -> ChainedRecord:
        """The newest provenance record of a task; ResultMissing while it has none."""
        task = self.get(task_id, owner=owner)
        record = self._provenance.of_task(task.id)
        if record is None:
            raise ResultMissing(f"task {task.id} is {task.status} and has no provenance record")
        return record

    def watch(self, task_id: str, changed: Callable[[Task], None], *, owner: str) -> Callable[[], None]:
        """As `TaskFeed.watch`; TaskNotFound also for another owner's task."""
        self.get(task_id, owner=owner)
        return self._feed.watch(task_id, lambda task: changed(self._noted(task)))

    def watch_selection(
        self, selection: TaskSelection, changed: Callable[[TaskSnapshot], None]
    ) -> Callable[[], None]:
        """As `TaskFeed.watch_selection`."""

        def noted(snapshot: TaskSnapshot) -> None:
            tasks = {task_id: self._noted(task) for task_id, task in snapshot.tasks.items()}
            changed(replace(snapshot, tasks=tasks))

        return self._feed.watch_selection(selection, noted)

    def several(self, ids: Collection[str], *, owner: str) -> Sequence[Task]:
        """The tasks of this owner with these ids; without those that do not exist."""
        return [self._noted(task) for task in self._tasks.repository.several(ids, owner=owner)]

    def cancel(self, task_id: str, *, owner: str) -> Task:
        """Cancel a task; harmless for a cancelled one, TaskEnded for one that ended otherwise."""
        task = self.get(task_id, owner=owner)
        if task.status is TaskStatus.CANCELLED:
            return task
        cancelled = self._tasks.change(task.id, transitions.cancel)
        self._server_log.add(task.id, "task cancelled", level="info")
        return cancelled

    def retry(self, task_id: str, *, owner: str, origin: Origin = UNKNOWN) -> Task:
        """Run a failed or cancelled task again; QuotaReached when its owner has too many pending tasks."""
        transitions.retry(self.get(task_id, owner=owner))
        with self._quota.task() as admit:
            task = self._tasks.change(
                task_id, lambda ended: replace(transitions.retry(ended), origin=origin), admit=admit
            )
        self._queue.enqueue(work_id=task.work_id, task_id=task.id, engine=task.engine)
        return self._noted(task)

    def output(self, url: str, *, owner: str | None) -> tuple[str, Result]:
        """The URL and the file at a URL `/outputs/<task id>/<name>`; ResultMissing while there is none."""
        task_id = url.split("/")[2]
        task = self.get(task_id, owner=owner)
        found = task.file_at(url)
        if found is None:
            raise ResultMissing(f"task {task_id} is {task.status} and has no result")
        return found

    def delete(self, task_id: str, *, owner: str) -> None:
        """Delete an ended task and its result; NotReady while it has not ended."""
        task = self.get(task_id, owner=owner)
        if not task.ended or not self._collector.remove(task, cause="requested"):
            now = self.get(task_id, owner=owner).status
            raise NotReady(f"task {task_id} is {now}; run facecli task cancel first, then delete it")


def _is_same(task: Task, new: NewTask) -> bool:
    return (
        (task.image_id, task.video_id) == (new.image.id, new.video.id)
        and (task.engine, dict(task.options)) == (new.engine, dict(new.options))
        and (task.part, task.terms.content) == (new.part, new.terms.content)
    )
