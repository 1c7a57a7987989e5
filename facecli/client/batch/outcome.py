"""The outcome of a job."""

from dataclasses import dataclass
from enum import StrEnum

from facecli.client.batch.existing import Made
from facecli.client.batch.plan import PlannedJob
from facecli.core.errors import FacecliError
from facecli.tasks.view import TaskView


class JobStatus(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"  # the output existed, and is not known to be of other inputs
    FAILED = "failed"
    NOT_RUN = "not run"  # the batch ended before


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """`reused` is whether an earlier command had created the task. Seconds are those of this run.

    `made` is of what the output of a skipped job was made.
    """

    planned: PlannedJob
    status: JobStatus
    task: TaskView | None = None
    error: FacecliError | None = None
    reused: bool = False
    seconds: float = 0.0
    made: Made | None = None
