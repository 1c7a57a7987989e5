"""The report of a batch: a line or an object for each job, and the summary."""

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from facecli.cli.progress.amounts import bytes_text, time_text
from facecli.cli.shared.exits import exit_code
from facecli.cli.shared.objects import checksum
from facecli.cli.shared.output import Output
from facecli.client.batch.outcome import JobOutcome, JobStatus
from facecli.client.batch.plan import Action, Plan, PlannedJob
from facecli.core.errors import FacecliError, InvalidInput, TaskUnsuccessful
from facecli.core.printable import escaped, shortened
from facecli.core.video.plan import MICROSECONDS

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView

MAX_CAUSES = 10  # that the summary lists
CAUSE_WIDTH = 200  # characters
_FAILED_HINT = (
    "the same command does what is missing; --retry-failed also runs failed tasks again, "
    "and facecli task logs ID shows why one failed"
)


class BatchReport:
    """Prints outcomes as they come, and counts them."""

    def __init__(self, output: Output, plan: Plan) -> None:
        self.counts = Counter[JobStatus]()
        self._output = output
        self._plan = plan
        self._causes = Counter[str]()
        self._began = time.monotonic()

    def show(self, outcome: JobOutcome) -> None:
        """Print the outcome of a job."""
        self.counts[outcome.status] += 1
        planned, error, task = outcome.planned, outcome.error, outcome.task
        cause = ""
        if error:
            cause = _cause(error, task)
            self._causes[cause] += 1
        if outcome.made:
            cause = outcome.made.value
        notes = list(task.notes) if task and task.ended else []
        if notes and not cause:
            cause = f"note: {'; '.join(notes)}"
        has_result = outcome.status in {JobStatus.DONE, JobStatus.SKIPPED}
        self._output.show(
            {
                **_job_object(planned),
                "status": outcome.status,
                "task_id": task.id if task else None,
                "reused": outcome.reused,
                "result_size": task.result_size if task else None,
                "result_crc32c": None
                if task is None or task.result_crc32c is None
                else checksum(task.result_crc32c),
                "error": {"reason": _reason(error, task), "message": cause} if error else None,
                "notes": notes,
                "existing": outcome.made.name.lower() if outcome.made else None,
                "seconds": round(outcome.seconds, 3),
            },
            text=_line(outcome.status, planned, cause),
            short=planned.shown if has_result else "",
        )

    def finish(self, *, error: FacecliError | None) -> None:
        """Print the summary of a run that ends with this error."""
        total = len(self._plan.jobs)
        seconds = time.monotonic() - self._began
        self.counts[JobStatus.NOT_RUN] = total - sum(
            self.counts[status] for status in JobStatus if status is not JobStatus.NOT_RUN
        )
        named = {status.replace(" ", "_"): self.counts[status] for status in JobStatus}
        code = exit_code(error) if error else 0
        self._output.event(
            {"summary": {"jobs": total, **named, "seconds": round(seconds, 3), "exit_code": code}}
        )
        rows = [f"{self.counts[status]:>7}  {status}" for status in JobStatus if self.counts[status]]
        causes = self._causes.most_common()
        rows += [f"{count:>7}    {shortened(cause, CAUSE_WIDTH)}" for cause, count in causes[:MAX_CAUSES]]
        if len(causes) > MAX_CAUSES:
            rows.append(f"{'':7}    and {len(causes) - MAX_CAUSES} other reasons")
        self._output.note("\n".join([f"{'JOBS':>7}  RESULT", *rows, f"{total:>7}  in {time_text(seconds)}"]))

    def failure(self) -> FacecliError | None:
        """The error of a batch in which jobs have failed."""
        failed = self.counts[JobStatus.FAILED]
        if not failed:
            return None
        return TaskUnsuccessful(f"{failed} of {len(self._plan.jobs)} jobs failed", hint=_FAILED_HINT)


def show_plan(output: Output, plan: Plan) -> None:
    """Print what a run would do; InvalidInput if a job could not run."""
    for planned in plan.jobs:
        cause = planned.error.message if planned.error else "exists"
        inputs = f"{planned.job.face} + {planned.job.video}"
        output.show(
            {
                **_job_object(planned),
                "action": planned.action,
                "error": {"reason": planned.error.reason, "message": cause} if planned.error else None,
            },
            text=_line(planned.action, planned, inputs if planned.action is Action.RUN else cause),
            short=planned.shown if planned.action is Action.RUN else "",
        )
    counts = {action.value: plan.count(action) for action in Action}
    output.event({"summary": {"jobs": len(plan.jobs), **counts, "files": plan.files, "bytes": plan.bytes}})
    output.note(
        f"{len(plan.jobs)} jobs: {counts['run']} to run, {counts['skip']} exist, {counts['refuse']} cannot "
        f"run; {plan.files} files of {bytes_text(plan.bytes, None)} to upload unless the server has them"
    )
    if counts["refuse"]:
        raise InvalidInput(f"{counts['refuse']} of {len(plan.jobs)} jobs cannot run")


def _job_object(planned: PlannedJob) -> dict[str, Any]:
    job = planned.job
    return {
        "job": job.number,
        "where": job.where,
        "face": str(job.face),
        "video": str(job.video),
        "engine": job.engine,
        "options": dict(job.options),
        "from": job.part.start / MICROSECONDS,
        "to": None if job.part.end is None else job.part.end / MICROSECONDS,
        "path": planned.shown,
    }


def _line(status: str, planned: PlannedJob, more: str) -> str:
    return escaped(f"{status:8} {planned.shown}{'  ' if more else ''}{more}")


def _cause(error: FacecliError, task: "TaskView | None") -> str:
    """Why a job failed, without the ID of its task, so that equal reasons look equal."""
    failed = isinstance(error, TaskUnsuccessful) and task is not None
    return (task.error_message or f"the task was {task.status}") if failed and task else error.message


def _reason(error: FacecliError, task: "TaskView | None") -> str:
    failed = isinstance(error, TaskUnsuccessful) and task is not None
    return (task.error_reason or error.reason) if failed and task else error.reason
