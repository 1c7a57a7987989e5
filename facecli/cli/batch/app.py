"""`facecli batch`: run."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.batch.options import BatchChoices, job_defaults
from facecli.cli.shared.command import with_session
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import ChunkSize, LimitRate, ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.task.options import EngineChoice, TaskTerms
from facecli.client.batch.job import DEFAULT_OUTPUT
from facecli.client.batch.job_file import Format, base_of, read_jobs
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
    engine_choice: EngineChoice = EngineChoice(),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite/--skip-existing", help="Replace existing outputs, or skip their jobs."),
    ] = False,
    choices: BatchChoices = BatchChoices(),
    task_terms: TaskTerms = TaskTerms(),
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    limit_rate: LimitRate = None,
    progress: ProgressKind = None,
) -> None:
    """Run the jobs of a file: many faces on many videos.

    A job has the fields face, video, output, engine, options, from, to, preset, consent, no_label, notify
    and priority; only face and video are required. In TOML it is a table [[job]], and [defaults] has what all
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

    defaults = job_defaults(engine_choice, task_terms, output=out)
    found = read_jobs(jobs, stdin=sys.stdin.buffer, format=file_format, defaults=defaults)
    root = Path(output_dir) if output_dir else base_of(jobs)
    execute(session, output, found, choices, root=root, confined=True, overwrite=overwrite)


add_commands(app, {"run": run})
