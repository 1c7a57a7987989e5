"""`facecli swap` with --face and --video: many faces on many videos."""

from dataclasses import replace
from pathlib import Path

from facecli.cli.batch.execute import execute
from facecli.cli.batch.options import BatchChoices, ManyFiles
from facecli.cli.shared.output import Output
from facecli.client.batch.job import DEFAULT_OUTPUT, JobDefaults
from facecli.client.batch.selection import selected_jobs
from facecli.core.errors import InvalidInput
from facecli.library.session import Session


def swap_many(
    session: Session,
    output: Output,
    files: ManyFiles,
    choices: BatchChoices,
    defaults: JobDefaults,
    *,
    overwrite: bool,
) -> None:
    """Run a job for every combination of the files; the output of `defaults` is a template or a directory."""
    if not (files.faces and files.videos):
        missing = "--video" if files.faces else "--face"
        raise InvalidInput(
            f"--face and --video go together; name files, directories or patterns with {missing}"
        )
    template = defaults.output
    if template == "-":
        raise InvalidInput("the results of several jobs cannot go to standard output; name files with -o")
    if template.endswith("/") or ("{" not in template and Path(template).is_dir()):
        template = f"{template.rstrip('/')}/{DEFAULT_OUTPUT}"
    jobs = selected_jobs(
        files.faces,
        files.videos,
        combine=files.combine,
        recursive=files.recursive,
        defaults=replace(defaults, output=template),
    )
    execute(session, output, jobs, choices, root=Path(), confined=False, overwrite=overwrite)
