"""`facecli batch`: run."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.batch.options import (
    IN_FLIGHT,
    BatchChoices,
    DryRun,
    FailFast,
    InFlight,
    RetryFailed,
    job_defaults,
)
from facecli.cli.label.terms import ConsentOption, NoLabel
from facecli.cli.shared.command import with_session
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import (
    ChunkSize,
    Engine,
    EngineOptions,
    LimitRate,
    Notify,
    PresetName,
    ProgressKind,
    RetryFor,
)
from facecli.cli.shared.output import Output
from facecli.cli.task.create import engine_choice
from facecli.client.batch.job import DEFAULT_OUTPUT
from facecli.client.batch.job_file import Format, base_of, read_jobs
from facecli.client.terms import stated_terms
from facecli.library.session import Session

app = typer.Typer(rich_markup_mode=None)


@partial(with_session, quiet_help="Print only the paths of results.", run_server=True)
def run(
    session: Session,
    output: Output,
    jobs: Annotated[
        str, typer.Argument(metavar="JOBS", help="Job file; - for standard input.", show_default=False)
    ],
    file_format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Format of the job file; by default that of its name.", show_default=False
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option("-o", "--output", metavar="TEMPLATE", help="Output of jobs that name none."),
    ] = DEFAULT_OUTPUT,
    output_dir: Annotated[
        str,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="Directory that all outputs are in; by default that of the job file.",
            show_default=False,
        ),
    ] = "",
    engine: Engine = "",
    option: EngineOptions = None,
    preset: PresetName = "",
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite/--skip-existing", help="Replace existing outputs, or skip their jobs."),
    ] = False,
    retry_failed: RetryFailed = False,
    fail_fast: FailFast = False,
    dry_run: DryRun = False,
    in_flight: InFlight = IN_FLIGHT,
    consent: ConsentOption = None,
    no_label: NoLabel = None,
    notify: Notify = "",
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    limit_rate: LimitRate = None,
    progress: ProgressKind = None,
) -> None:
    """Run the jobs of a file: many faces on many videos.

    A job has the fields face, video, output, engine, options, from, to, preset, consent, no_label and
    notify; only face and video are required. In TOML it is a table [[job]], and [defaults] has what all
    share; in CSV a row below a header, with a column option.NAME for each engine option; in JSON lines an
    object. Outputs are templates with the fields {face.stem}, {video.stem}, {face.name}, {video.name},
    {face.suffix}, {video.suffix} and {number}.

    Each input is uploaded once. A job that fails does not stop the others. Run it again after any failure,
    even a kill: it does what is missing, and no task is created twice. Jobs whose output exists are skipped.

    Example: facecli batch run jobs.csv -o '{video.stem}/{face.stem}.mp4'

    Exit codes: 0 every job done, 2 unusable job file, nothing done, 3 partly done: some jobs failed, 4
    unauthenticated or forbidden, 6 server unreachable, 7 incomplete (run it again), 9 limit or quota
    reached, 124 --timeout expired.
    """
    from facecli.cli.batch.execute import execute

    chosen, options = engine_choice(preset, engine, option)
    defaults = job_defaults(
        output=out,
        engine=chosen,
        options=options,
        terms=stated_terms(no_label, consent),
        notify=notify,
    )
    found = read_jobs(jobs, stdin=sys.stdin.buffer, format=file_format, defaults=defaults)
    choices = BatchChoices(
        overwrite=overwrite,
        retry_failed=retry_failed,
        fail_fast=fail_fast,
        dry_run=dry_run,
        in_flight=in_flight,
    )
    root = Path(output_dir) if output_dir else base_of(jobs)
    execute(session, output, found, choices, root=root, confined=True)


add_commands(app, {"run": run})
