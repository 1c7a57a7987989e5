"""`facecli worker`: run tasks for a server."""

from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_loaded_settings
from facecli.cli.shared.options import Blobs, Database, DataDir, SettingOption
from facecli.cli.shared.output import Output
from facecli.config.environment import ENVIRONMENT
from facecli.config.loader import LoadedSettings
from facecli.telemetry.logs import set_up_logging
from facecli.telemetry.service_manager import ServiceManager


@partial(with_loaded_settings, quiet_help="Print no diagnostics.")
def worker(
    loaded: LoadedSettings,
    output: Output,
    data_dir: DataDir = None,
    database: Database = None,
    blobs: Blobs = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Worker name; a restarted worker with the same name resumes its tasks.",
        ),
    ] = "extra-1",
    metrics: Annotated[str | None, SettingOption("metrics", metavar="HOST:PORT")] = None,
    with_stdin: Annotated[
        bool, typer.Option("--with-stdin", help="Exit when standard input is closed.")
    ] = False,
) -> None:
    """Run a worker.

    A worker runs one task at a time, of the engines that its machine can run. `facecli serve` starts its own
    workers; this command adds one to the same data directory. With --database it can run on another machine
    that shares the directory, or with --blobs a bucket. With --metrics it serves http://HOST:PORT/metrics for
    Prometheus. SIGHUP, where the worker has no terminal, reads log_level in the config file again.

    Example: facecli worker --data-dir /srv/facecli --name extra-1

    Exit codes: 0 stopped on request, 2 invalid setting, 6 database or bucket unreachable, 10 data directory
    or bucket belongs to another database.
    """
    settings = loaded.settings
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.location import location
    from facecli.bootstrap.worker import run_worker

    if not with_stdin:  # of a server, which says so itself
        output.note(f"worker {name} for {location(settings)}")
    manager = ServiceManager({} if with_stdin else ENVIRONMENT)
    run_worker(loaded, manager, name=name, with_stdin=with_stdin)
