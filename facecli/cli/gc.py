"""`facecli gc`: what nobody needs any more."""

from collections import Counter
from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import garbage_object
from facecli.cli.shared.options import Database, DataDir, Json, Profile, Quiet
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.maintenance.gc import Action, collect

DONE = {False: Action.REMOVED, True: Action.WOULD_GO}  # by whether it is a dry run


@with_settings
def gc(
    settings: Settings,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List only; beside a server, too.")] = False,
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="Remove also what is over by this machine's clock alone.")
    ] = False,
    data_dir: DataDir = None,
    database: Database = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remove what nobody needs any more, while no server runs.

    Bytes and work that no upload and no task knows go. Abandoned uploads, and tasks that ended long ago with
    their results, are listed and kept, as a clock may be wrong: a server removes them within an hour of its
    start, when it has measured that nobody comes, and --trust-clock removes them now. A running server does
    all of it by itself. With -q the ids and keys of what went.

    Example: facecli gc --dry-run --data-dir /srv/facecli

    Exit codes: 0 done, also with nothing to do, 1 a server runs, 2 not a data directory, 6 no database,
    10 another directory's database.
    """
    output = Output(as_json=as_json, quiet=quiet)
    from facecli.bootstrap.maintenance import garbage

    things, sizes = Counter[Action](), Counter[Action]()
    with garbage(settings, dry_run=dry_run) as found:
        for item, action in collect(found, dry_run=dry_run, trust_clock=trust_clock):
            text = f"{action:8}  {item.kind} {item.id}  {_megabytes(item.size)}  {item.reason}"
            short = "" if action is Action.KEPT else item.id
            output.show(garbage_object(item, action), text=text, short=short)
            things[action] += 1
            sizes[action] += item.size
    done = DONE[dry_run]
    output.note(f"{things[done]} {done}, {_megabytes(sizes[done])}")
    if kept := things[Action.KEPT]:
        output.note(
            f"{kept} kept, {_megabytes(sizes[Action.KEPT])}: over by the clock alone; a server removes them "
            "within an hour of its start, and --trust-clock does now, if this machine's clock is right"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
