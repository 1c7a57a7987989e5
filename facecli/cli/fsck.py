"""`facecli fsck`: does the disk hold what the database says?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from facecli.cli.progress.bars import bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import damage_object
from facecli.cli.shared.options import Database, DataDir, Json, Profile, ProgressKind, Quiet
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.damage import Damage, repair_each
from facecli.core.errors import BytesDiffer
from facecli.core.progress import TransferProgress
from facecli.maintenance.fsck import Inspection


@with_settings
def fsck(
    settings: Settings,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare lengths only; read no bytes.")] = False,
    progress: ProgressKind = None,
    data_dir: DataDir = None,
    database: Database = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare uploads and results with their bytes and checksums, while no server runs.

    Every thing that is damaged is a line: what is wrong with it, and what --repair does. A damaged upload
    then lacks the damaged chunks, and the same facecli upload sends just those; a task whose result is
    damaged has failed, and facecli task retry makes it again; bytes that nothing knows go. A damaged
    database is told and not mended. With -q the ids and keys of what is damaged.

    Example: facecli fsck --repair --data-dir /srv/facecli

    Exit codes: 0 all agrees, or everything was repaired, 1 a server runs, 2 not a data directory,
    6 no database, 8 damage is left, 10 another directory's database.
    """
    output = Output(as_json=as_json, quiet=quiet)
    found, mendable, left = 0, 0, 0
    with bars(settings.progress, quiet=quiet) as drawn, _opened(settings, drawn.transfer(), quick) as looking:
        for damage, repaired in repair_each(looking.damages(), repair=repair):
            _show(output, damage, repaired=repaired)
            found += 1
            mendable += damage.repair is not None
            left += not repaired
    if left:
        remedy = f"; facecli fsck --repair mends {mendable}" if mendable and not repair else ""
        raise BytesDiffer(f"damaged: {left}{remedy}")
    output.note(f"repaired: {found}" if found else "all agrees")


@contextmanager
def _opened(settings: Settings, bar: TransferProgress, quick: bool) -> Iterator[Inspection]:
    """With a bar of the bytes that were looked at."""
    from facecli.bootstrap.maintenance import inspection

    done = 0

    def on_bytes(size: int) -> None:
        nonlocal done
        done += size
        bar.stored(done)

    with inspection(settings, quick=quick, on_bytes=on_bytes) as looking:
        bar.begin("checked", looking.size(), 0)
        yield looking
        bar.verified()


def _show(output: Output, damage: Damage, *, repaired: bool) -> None:
    remedy = f"repaired: {damage.remedy}" if repaired else f"--repair: {damage.remedy}"
    if not damage.repair:
        remedy = damage.remedy
    text = f"{damage.kind} {damage.id}  {damage.problem}; {remedy}"
    output.show(damage_object(damage, repaired=repaired), text=text, short=damage.id)
