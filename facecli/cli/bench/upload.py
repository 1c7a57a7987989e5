"""`facecli bench upload`: measure uploads."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.cli.bench.options import (
    BaselineFile,
    Concurrency,
    ContentSeed,
    Cuts,
    DataDir,
    Files,
    FileSize,
    MeasuredServer,
    Plain,
    Runs,
    UploadLimits,
    WarmUp,
)
from facecli.cli.bench.server import local_server, target, terminable
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.fault_options import CutEvery, Delay, Rate
from facecli.cli.shared.options import (
    CallTimeout,
    ChunkSize,
    ProgressKind,
    RetryFor,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    User,
)
from facecli.cli.shared.output import Output
from facecli.config.access import standalone
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.bench.uploads.measure import UploadMeasurement
    from facecli.bench.uploads.plan import UploadPlan

FILE_SIZE = 500_000_000  # bytes


@partial(with_settings, quiet_help="Print only the MB/s.")
def upload(
    settings: Settings,
    output: Output,
    file_size: FileSize = None,
    files: Files = 1,
    concurrency: Concurrency = 1,
    runs: Runs = 3,
    warm_up: WarmUp = 1,
    chunk_size: ChunkSize = None,
    cuts: Cuts = 0,
    cut_every: CutEvery = None,
    delay: Delay = None,
    rate: Rate = None,
    seed: ContentSeed = 0,
    plain: Plain = True,
    data_dir: DataDir = None,
    baseline: BaselineFile = None,
    fail_if: UploadLimits = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
    server: MeasuredServer = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    call_timeout: CallTimeout = None,
) -> None:
    """Measure uploads.

    All clients start at the same time and send random bytes as `facecli upload` does; the slowest one counts.
    Cuts, delay and rate use the proxy of `facecli chaos`. The uploads are removed after each run. The stages
    show what the server did meanwhile, and the last line names what limited it.

    The ratio compares the uploads with plain TCP transfers of the same bytes into the same directory, so it
    changes little from one machine to another.

    Example: facecli bench upload --size 500MB --runs 3

    Example: facecli bench upload --concurrency 5 --size 100MB --json > before.json

    Example: facecli bench upload --baseline before.json --fail-if 'ratio>1.15*baseline'

    Example: facecli bench upload --cuts 10

    Exit codes: 0 done, 1 a --fail-if holds, 2 invalid option, 4 unauthenticated or forbidden, 6 server
    unreachable or no progress, 9 disk full.
    """
    from facecli.bench.uploads.figures import figure_names
    from facecli.bench.uploads.plan import UploadPlan
    from facecli.cli.bench.baseline import read_baseline
    from facecli.cli.bench.limits import read_limits
    from facecli.cli.bench.report import upload_report

    if not server:
        settings = standalone(settings)
    plan = UploadPlan(
        size=FILE_SIZE if file_size is None else file_size,
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
    plain = plain and not server and plan.fault_free
    names = figure_names(own_server=not server, plain=plain)
    limits = read_limits(fail_if or [], names=names, baseline=before)
    measured = _measure(plan, settings, server=server, plain=plain, data_dir=data_dir, quiet=output.quiet)
    report = upload_report(plan, measured, server=server, baseline=before)
    report.show(output, short="mb_per_s", limits=limits)


def _measure(
    plan: "UploadPlan",
    settings: Settings,
    *,
    server: str | None,
    plain: bool,
    data_dir: Path | None,
    quiet: bool,
) -> "UploadMeasurement":
    from facecli.bench.disk_space import scratch_directory
    from facecli.bench.uploads.measure import LocalServer, measure_uploads

    with (
        terminable(),
        progress_bars(settings.progress, quiet=quiet) as bars,
        scratch_directory(data_dir) as folder,
    ):
        run = partial(local_server, replace(settings, data_dir=str(folder / "server"), workers=0))
        local = LocalServer(run=run, durable=settings.durability == "power", plain=plain)
        return measure_uploads(
            plan,
            target(settings, server or ""),
            local=None if server else local,
            folder=folder,
            progress=bars.transfer,
        )
