"""The engine that would run a job, asked from the server once for every choice of options."""

from collections.abc import Hashable, Iterable
from threading import Lock

from facecli.client.batch.job import Job
from facecli.client.batch.plan import PlannedJob
from facecli.client.tasks import TaskClient
from facecli.core.errors import FacecliError, InvalidInput, NotConfigured, PolicyRefused

_OF_A_JOB = (InvalidInput, NotConfigured, PolicyRefused)


class EngineChecks:
    """Safe to use from many threads."""

    def __init__(self, tasks: TaskClient) -> None:
        self._tasks = tasks
        self._lock = Lock()
        self._known = dict[Hashable, tuple[str, str] | InvalidInput]()

    def check_names(self, jobs: Iterable[PlannedJob]) -> None:
        """InvalidInput for the first of the jobs whose engine or names of options do not exist.

        PolicyRefused or NotConfigured for terms and webhooks that the server does not take.

        Of jobs that differ only in the values of options and terms, one is asked for; its values of options
        may be wrong.
        """
        asked = set[Hashable]()
        for planned in jobs:
            job = planned.job
            if (names := (job.engine, frozenset(job.options), *_rules(job))) not in asked:
                asked.add(names)
                try:
                    self.engine(job)
                except _OF_A_JOB as error:
                    raise type(error)(f"{job.name}: {error.message}", **error.details) from error

    def engine(self, job: Job) -> tuple[str, str]:
        """Name and version of the job's engine; InvalidInput for a wrong engine or option."""
        choice = (job.engine, frozenset(job.options.items()), *_rules(job))
        with self._lock:
            known = self._known.get(choice)
        if known is None:
            try:
                known = self._tasks.check(
                    engine=job.engine, options=job.options, terms=job.terms, notify=job.notify
                )
            except InvalidInput as error:
                known = error
            with self._lock:
                self._known[choice] = known
        if isinstance(known, FacecliError):
            raise known
        return known


def _rules(job: Job) -> tuple[bool, bool, str]:
    """The choices, beside the engine, that rules of a server are about."""
    return bool(job.terms.waiver), bool(job.terms.consent), job.notify
