"""The way from jobs to a report, the same for a job file and for `facecli swap` of many files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.cli.batch.display import BatchDisplay
from facecli.cli.batch.options import BatchChoices
from facecli.cli.batch.report import BatchReport, show_plan
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.interrupts import Interruption, interruptible
from facecli.cli.shared.output import Output
from facecli.client.batch.existing import ExistingOutputs
from facecli.client.batch.job import Job
from facecli.client.batch.job_runner import BatchOptions
from facecli.client.batch.outcome import JobStatus
from facecli.client.batch.plan import Plan, plan_jobs
from facecli.client.batch.run import BatchClients, BatchRun
from facecli.core.errors import FacecliError, OutputFailed
from facecli.library.session import Session

if TYPE_CHECKING:
    from facecli.client.tasks import TaskClient
    from facecli.client.uploads import UploadClient

_AGAIN = "run the same command again for what is missing"


def execute(
    session: Session,
    output: Output,
    jobs: Sequence[Job],
    choices: BatchChoices,
    *,
    root: Path,
    confined: bool,
    overwrite: bool,
) -> None:
    """Run the jobs and report them; raises the error that stopped them, or TaskUnsuccessful if any failed."""
    plan = plan_jobs(jobs, root=root, confined=confined, overwrite=overwrite)
    if choices.dry_run:
        show_plan(output, plan)
        return
    report = BatchReport(output, plan)
    error: FacecliError | None = None
    try:
        with interruptible(hint=_AGAIN) as interruption:
            error = _run(session, output, plan, choices, report, interruption)
    except OutputFailed:
        raise  # of the summary, too
    except FacecliError as raised:
        error = raised
    report.finish(error=error)
    if error:
        raise error


def _clients(session: Session) -> BatchClients:
    return BatchClients(uploads=session.uploads, tasks=session.tasks, downloads=session.files)


def _impatient(session: Session) -> "tuple[TaskClient, UploadClient]":
    """Clients for questions that a run can do without."""
    impatient = session.limited(timeout=session.settings.timeout or None, retry_for=0.0)
    return impatient.tasks, impatient.uploads


def _run(
    session: Session,
    output: Output,
    plan: Plan,
    choices: BatchChoices,
    report: BatchReport,
    interruption: Interruption,
) -> FacecliError | None:
    settings = session.settings
    with progress_bars(settings.progress, quiet=output.quiet) as bars:
        display = BatchDisplay(bars.batch(), total=len(plan.jobs))
        run = BatchRun(
            plan,
            BatchOptions(
                in_flight=choices.in_flight,
                chunk_size=settings.chunk_size,
                retry_for=settings.retry_for,
                limit_rate=settings.limit_rate,
                fail_fast=choices.fail_fast,
                retry_failed=choices.retry_failed,
            ),
            display,
            connect=partial(_clients, session),
            existing=ExistingOutputs(partial(_impatient, session)),
        )
        try:
            for outcome in run.outcomes():
                display.ended(outcome)
                report.show(outcome)
        except KeyboardInterrupt:
            running = run.running_tasks
            if running and not session.own_server:
                interruption.tasks_continue(running, flags=session.flags, again=_AGAIN)
            raise
    if run.stopped_by and not report.counts[JobStatus.FAILED]:
        output.note(f"stopped; {_AGAIN}")
    failed_first = choices.fail_fast and report.counts[JobStatus.FAILED]
    if run.stopped_by and not failed_first:
        return run.stopped_by
    if report.counts[JobStatus.NOT_RUN] and not failed_first:
        return FacecliError("some jobs were not run, and no error says why: a bug")
    return report.failure()
