"""The engine that would run a job, asked from the server once for every choice of options."""

from collections.abc import Iterable
from threading import Lock

from facecli.client.batch.job import Job
from facecli.client.batch.plan import PlannedJob
from facecli.client.tasks import TaskClient
from facecli.core.errors import FacecliError, InvalidInput
from facecli.tasks.provenance.terms import Terms

_Choice = tuple[str, frozenset[tuple[str, str]]]


class EngineChecks:
    """Safe to use from many threads."""

    def __init__(self, tasks: TaskClient, terms: Terms) -> None:
        self._tasks = tasks
        self._terms = terms
        self._lock = Lock()
        self._known = dict[_Choice, tuple[str, str] | InvalidInput]()

    def check_names(self, jobs: Iterable[PlannedJob]) -> None:
        """InvalidInput for the first of the jobs whose engine or names of options do not exist.

        PolicyRefused for terms that the policy of the server forbids.

        Of jobs that differ only in the values of options, one is asked for; its values may be wrong.
        """
        asked = set[tuple[str, frozenset[str]]]()
        for planned in jobs:
            job = planned.job
            if (names := (job.engine, frozenset(job.options))) not in asked:
                asked.add(names)
                try:
                    self.engine(job)
                except InvalidInput as error:
                    raise InvalidInput(f"{job.name}: {error.message}", **error.details) from error

    def engine(self, job: Job) -> tuple[str, str]:
        """Name and version of the job's engine; InvalidInput for a wrong engine or option."""
        choice = (job.engine, frozenset(job.options.items()))
        with self._lock:
            known = self._known.get(choice)
        if known is None:
            try:
                known = self._tasks.check(engine=job.engine, options=job.options, terms=self._terms)
            except InvalidInput as error:
                known = error
            with self._lock:
                self._known[choice] = known
        if isinstance(known, FacecliError):
            raise known
        return known
