"""Options of the benches."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.shared.options import size, time

Runs = Annotated[int, typer.Option("--runs", metavar="N", help="Measured runs.", min=1)]
WarmUp = Annotated[
    int, typer.Option("--warm-up", metavar="N", help="Unmeasured runs before the measured ones.", min=0)
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Write all data to a subdirectory of DIR, removed at the end; default: the system's temporary "
        "directory.",
        show_default=False,
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="Compare with the --json output of an earlier run; makes no difference to the exit code without "
        "--fail-if.",
        show_default=False,
    ),
]
FileSize = Annotated[
    int | None,
    typer.Option("--size", metavar="SIZE", parser=size, help="Bytes per file; default: 500MB."),
]
Files = Annotated[int, typer.Option("--files", metavar="N", help="Files per client and run.", min=1)]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency", metavar="N", help="Concurrent clients, each in its own process.", min=1, max=64
    ),
]
Cuts = Annotated[
    int, typer.Option("--cuts", metavar="N", help="Cuts of each client's connection in a run.", min=0)
]
ContentSeed = Annotated[
    int,
    typer.Option(
        "--seed", metavar="N", help="Random seed; the same seed reproduces the same bytes and cuts."
    ),
]
MeasuredServer = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="HOST:PORT[,…]",
        help="Server to measure; starts a local one if not given.",
        show_default=False,
    ),
]
Plain = Annotated[
    bool,
    typer.Option(
        "--plain/--no-plain",
        help="Before each run, time a plain TCP transfer into files and the disk alone, to compare with. "
        "Only with a local server and without network faults.",
    ),
]
UploadLimits = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="EXPR",
        help="Exit with code 1 if EXPR holds, such as mb_per_s<300, ratio>1.15*baseline or "
        "resent_bytes>10MiB; can be repeated.",
    ),
]
TaskLimits = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="EXPR",
        help="Exit with code 1 if EXPR holds, such as by_plain<0.9, watch_p95_ms>200 or "
        "again_seconds_max>1.2*baseline; can be repeated.",
    ),
]
ClipSeconds = Annotated[
    int,
    typer.Option(
        "--seconds", metavar="N", help="Length of the clip, 1280 × 720 at 25 frames per second.", min=1
    ),
]
Watchers = Annotated[
    int, typer.Option("--watchers", metavar="N", help="Concurrent watchers of one task.", min=0)
]
WatchFor = Annotated[
    float | None,
    typer.Option("--watch-for", metavar="TIME", parser=time, help="Watch duration; default: 10s."),
]
Kills = Annotated[
    int, typer.Option("--kills", metavar="N", help="Kills of the worker in the middle of a task.", min=0)
]
