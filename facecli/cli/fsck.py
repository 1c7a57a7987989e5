"""`facecli fsck`: integrity check of the stored files against the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import damage_object
from facecli.cli.shared.options import Blobs, Database, DataDir, ProgressKind
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.damage import Damage, repair_each
from facecli.core.errors import BytesDiffer
from facecli.core.progress import TransferProgress
from facecli.maintenance.fsck import Inspection


@partial(with_settings, quiet_help="Print only the IDs and keys of damaged items.")
def fsck(
    settings: Settings,
    output: Output,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare sizes only; do not read file contents.")
    ] = False,
    progress: ProgressKind = None,
    data_dir: DataDir = None,
    database: Database = None,
    blobs: Blobs = None,
) -> None:
    """Check stored files against their checksums while no server runs.

    Prints one line per damaged item, with its problem and what --repair does. Repairing an upload discards
    its damaged chunks; run the same facecli upload again to resend only those. Repairing a result marks its
    task as failed; facecli task retry recreates the result. Files that the database does not know are moved
    to lost+found; a database that is older than the directory is adopted then. What the quota counts for a
    user is corrected if it is not what there is. A damaged task queue is rebuilt from the tasks at the next
    start of the server. A damaged database is reported but not repaired. With -q, prints only the IDs and
    keys of damaged items.

    Example: facecli fsck --repair --data-dir /srv/facecli

    Exit codes: 0 no damage, or all of it repaired, 1 a server is running, 2 not a data directory,
    6 database or bucket unreachable, 8 damage remains, 10 data directory belongs to another database.
    """
    damaged, repairable, remaining = 0, 0, 0
    with (
        progress_bars(settings.progress, quiet=output.quiet) as bars,
        _inspection(settings, bars.transfer(), quick) as inspection,
    ):
        for damage, repaired in repair_each(inspection.damages(), repair=repair):
            _show(output, damage, repaired=repaired)
            damaged += 1
            repairable += damage.repair is not None
            remaining += not repaired
    if remaining:
        remedy = f"; facecli fsck --repair repairs {repairable}" if repairable and not repair else ""
        raise BytesDiffer(f"damaged: {remaining}{remedy}")
    from facecli.bootstrap.location import location

    found = f"repaired: {damaged}" if damaged else "no damage found"
    output.note(f"{found} in {location(settings)}")


@contextmanager
def _inspection(settings: Settings, bar: TransferProgress, quick: bool) -> Iterator[Inspection]:
    """An inspection that reports the checked bytes to the bar."""
    from facecli.bootstrap.maintenance import inspection

    done = 0

    def on_bytes(size: int) -> None:
        nonlocal done
        done += size
        bar.stored(done)

    with inspection(settings, quick=quick, on_bytes=on_bytes) as running:
        bar.begin("checked", running.size(), 0)
        yield running
        bar.verified()


def _show(output: Output, damage: Damage, *, repaired: bool) -> None:
    remedy = f"repaired: {damage.remedy}" if repaired else f"--repair: {damage.remedy}"
    if not damage.repair:
        remedy = damage.remedy
    text = f"{damage.kind} {damage.id}  {damage.problem}; {remedy}"
    output.show(damage_object(damage, repaired=repaired), text=text, short=damage.id)
