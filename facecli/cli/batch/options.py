"""The options of batches, and the settings of a run that they make."""

from dataclasses import dataclass
from typing import Annotated

import typer

from facecli.config.presets import preset as preset_of

MAX_IN_FLIGHT = 256  # a thread each
IN_FLIGHT = 16

PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="Preset in the config file: an engine and its options, which --engine and --option override.",
        show_default=False,
    ),
]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchChoices:
    """The choices of a command line for all of its jobs."""

    overwrite: bool
    retry_failed: bool
    fail_fast: bool
    dry_run: bool
    in_flight: int


def engine_choice(preset: str, engine: str, options: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Engine and options of a command line: those of its preset, unless they are given."""
    if not preset:
        return engine, options
    found = preset_of(preset)
    return engine or found.engine, {**found.options, **options}
