"""The options of batches, and the settings of a run that they make."""

from dataclasses import dataclass
from typing import Annotated

import typer

from facecli.cli.task.options import EngineChoice, TaskTerms
from facecli.client.batch.job import JobDefaults
from facecli.client.batch.selection import Combine
from facecli.config.amounts import parse_time
from facecli.config.presets import preset
from facecli.core.video.plan import WHOLE, VideoPart

MAX_IN_FLIGHT = 256  # a thread each
IN_FLIGHT = 16

RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Run tasks again that failed or were cancelled before.")
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Start no other job after one has failed; running tasks continue.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]
InFlight = Annotated[
    int,
    typer.Option("--in-flight", metavar="N", help="Jobs of a batch at a time.", min=1, max=MAX_IN_FLIGHT),
]

Faces = Annotated[
    list[str] | None,
    typer.Option(
        "--face",
        metavar="PATH…",
        help="Pictures of faces: files, directories or patterns. Every face goes on every video of --video.",
        show_default=False,
    ),
]
Videos = Annotated[
    list[str] | None,
    typer.Option(
        "--video",
        metavar="PATH…",
        help="Videos to edit: files, directories or patterns.",
        show_default=False,
    ),
]
HowToCombine = Annotated[
    Combine,
    typer.Option(
        "--combine", help="Every face on every video, or the first face on the first video and so on."
    ),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", help="Take the files of directories in directories, too.")
]
Overwrite = Annotated[bool, typer.Option("--force", "--overwrite", help="Replace existing output files.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyFiles:
    """The files of `facecli swap` that are combined to jobs."""

    faces: Faces = None
    videos: Videos = None
    combine: HowToCombine = Combine.PRODUCT
    recursive: Recursive = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchChoices:
    """The choices of a command line for all of its jobs."""

    retry_failed: RetryFailed = False
    fail_fast: FailFast = False
    dry_run: DryRun = False
    in_flight: InFlight = IN_FLIGHT


def job_defaults(
    engine_choice: EngineChoice, task_terms: TaskTerms, *, output: str, part: VideoPart = WHOLE
) -> JobDefaults:
    """The defaults that a command line gives all of its jobs."""
    engine, options = engine_choice.resolved()
    return JobDefaults(
        parse_time=parse_time,
        preset=preset,
        output=output,
        engine=engine,
        options=options,
        part=part,
        terms=task_terms.stated(),
        notify=task_terms.webhook,
        priority=task_terms.chosen_priority(),
    )
