"""`facecli gc`: garbage collection of expired and orphaned data."""

from collections import Counter
from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import garbage_object
from facecli.cli.shared.options import Blobs, Database, DataDir
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.maintenance.gc import Action, collect


@partial(with_settings, quiet_help="Print only the IDs and keys of deleted items.")
def gc(
    settings: Settings,
    output: Output,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be deleted; a server may be running.")
    ] = False,
    trust_clock: Annotated[
        bool,
        typer.Option(
            "--trust-clock", help="Also delete data that has expired by this machine's clock alone."
        ),
    ] = False,
    trust_database: Annotated[
        bool,
        typer.Option(
            "--trust-database",
            help="Also delete young files that the database does not know.",
        ),
    ] = False,
    data_dir: DataDir = None,
    database: Database = None,
    blobs: Blobs = None,
) -> None:
    """Delete expired and orphaned data while no server runs.

    Deletes files and checkpoints that belong to no upload and no task, once they are 3 days older than the
    newest upload or task: younger ones may belong to a newer copy of the database. Abandoned uploads and old
    tasks with their results are only listed, because the clock may be wrong: a server deletes them within an
    hour of its start, once it has measured their idle time, and --trust-clock deletes them now. A running
    server collects all garbage by itself. With -q, prints only the IDs and keys of deleted items.

    Example: facecli gc --dry-run --data-dir /srv/facecli

    Exit codes: 0 success, 1 a server is running, 2 not a data directory, 6 database or bucket
    unreachable, 10 data directory or bucket belongs to another or a newer database.
    """
    from facecli.bootstrap.location import location
    from facecli.bootstrap.maintenance import garbage

    counts, sizes = Counter[Action](), Counter[Action]()
    young = 0
    with garbage(settings, dry_run=dry_run) as (items, policy):
        for item, action in collect(
            items, policy=policy, dry_run=dry_run, trust_clock=trust_clock, trust_database=trust_database
        ):
            age = max(policy.clock() - item.modified_at, 0.0)
            text = (
                f"{action:9}  {item.kind} {item.id}  {_megabytes(item.size)}  {_days(age)} old  {item.reason}"
            )
            short = "" if action is Action.KEPT else item.id
            output.show(garbage_object(item, action, age=age), text=text, short=short)
            counts[action] += 1
            sizes[action] += item.size
            young += action is Action.KEPT and item.orphan
    action = Action.TO_REMOVE if dry_run else Action.REMOVED
    output.note(f"{counts[action]} {action}, {_megabytes(sizes[action])} in {location(settings)}")
    if expired := counts[Action.KEPT] - young:
        output.note(
            f"{expired} kept: expired by the clock alone; a server deletes them within an hour of its start; "
            "--trust-clock deletes them now, if this clock is right"
        )
    if young:
        output.note(
            f"{young} kept: unknown to the database and young; --trust-database deletes them now, if no "
            "newer database exists"
        )


def _days(seconds: float) -> str:
    return f"{seconds / 86400:.1f} d"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
