"""`facecli bench upload`: measure uploads."""

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from facecli.chaos.faults import Span
from facecli.cli.bench.options import BaselineFile, DataDir, Runs, WarmUp
from facecli.cli.bench.server import own_server, target, terminable
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.fault_options import Delay, line_rate, span
from facecli.cli.shared.options import (
    ChunkSize,
    ProgressKind,
    RetryFor,
    Timeout,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    User,
    size,
)
from facecli.cli.shared.output import Output
from facecli.config.access import standalone
from facecli.config.settings import Settings


@partial(with_settings, quiet_help="Print only the MB/s.")
def upload(
    settings: Settings,
    output: Output,
    file_size: Annotated[
        int | None,
        typer.Option("--size", metavar="SIZE", parser=size, help="Bytes of a file; default: 500MB."),
    ] = None,
    files: Annotated[
        int, typer.Option("--files", metavar="N", help="Files that a client sends in one go.", min=1)
    ] = 1,
    concurrency: Annotated[
        int,
        typer.Option("--concurrency", metavar="N", help="Clients at once, each a process.", min=1, max=64),
    ] = 1,
    runs: Runs = 3,
    warm_up: WarmUp = 1,
    chunk_size: ChunkSize = None,
    cuts: Annotated[
        int, typer.Option("--cuts", metavar="N", help="Cut every client's line so often in a run.", min=0)
    ] = 0,
    cut_every: Annotated[
        Span | None,
        typer.Option("--cut-every", metavar="SIZE[-SIZE]", parser=span, help="Cut it after so many bytes."),
    ] = None,
    delay: Delay = None,
    rate: Annotated[
        int | None,
        typer.Option(
            "--rate", metavar="SIZE", parser=line_rate, help="Bytes per second of a client's line, each way."
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="The same seed sends the same bytes and draws the same cuts."
        ),
    ] = 0,
    data_dir: DataDir = None,
    baseline: BaselineFile = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="EXPR",
            help="End with exit code 1 then: mb_per_s<300, seconds>1.2*baseline, resent_bytes>10MiB; "
            "may be repeated.",
        ),
    ] = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="HOST:PORT[,…]",
            help="The server to measure; one of our own when not given.",
            show_default=False,
        ),
    ] = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    timeout: Timeout = None,
) -> None:
    """Measure uploads.

    Each client sends random bytes as `facecli upload` does, all begin at once, and the slowest counts. Cuts,
    delay and rate come from the proxy of `facecli chaos`. What was sent is removed again after each run.

    Example: facecli bench upload --size 500MB --runs 3

    Example: facecli bench upload --concurrency 5 --size 100MB --json > before.json

    Example: facecli bench upload --cuts 10 --baseline before.json --fail-if 'mb_per_s<0.8*baseline'

    Exit codes: 0 done, 1 a --fail-if holds, 2 a bad option, 4 not let in, 6 no server, or nothing comes
    through, 9 no room on the disk.
    """
    from facecli.bench.content import scratch
    from facecli.bench.uploads.figures import figure_names
    from facecli.bench.uploads.measure import measure_uploads
    from facecli.bench.uploads.plan import UploadPlan
    from facecli.cli.bench.limits import read_baseline, read_limits
    from facecli.cli.bench.report import upload_report

    if not server:
        settings = standalone(settings)
    plan = UploadPlan(
        size=500_000_000 if file_size is None else file_size,
        files=files,
        concurrency=concurrency,
        runs=runs,
        warm_up=warm_up,
        chunk_size=settings.chunk_size,
        cuts=cuts,
        cut_every=cut_every,
        delay=delay or 0.0,
        rate=rate,
        seed=seed,
    )
    before = read_baseline(baseline, bench="upload") if baseline else None
    limits = read_limits(fail_if or [], names=figure_names(own_server=not server), baseline=before)
    with (
        terminable(),
        progress_bars(settings.progress, quiet=output.quiet) as drawn,
        scratch(data_dir) as folder,
    ):
        own = replace(settings, data_dir=str(folder / "server"), workers=0)
        measured = measure_uploads(
            plan,
            target(settings, server or ""),
            run_server=None if server else partial(own_server, own),
            folder=folder,
            progress=drawn.transfer,
        )
    report = upload_report(plan, measured, server=server, baseline=before)
    report.tell(output, short="mb_per_s", limits=limits)
