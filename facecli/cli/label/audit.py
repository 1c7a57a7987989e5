"""`facecli audit`: export the provenance records of a server."""

import json
import math
from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import Database, DataDir
from facecli.cli.shared.output import Output
from facecli.cli.shared.timestamps import TimestampOption
from facecli.config.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@partial(with_settings, quiet_help="Print only the hashes of the records.")
def export(
    settings: Settings,
    output: Output,
    since: Annotated[
        float | None,
        TimestampOption(
            "--since", "Only results completed since: an age such as 2h, or a date such as 2026-11-24T18:30."
        ),
    ] = None,
    until: Annotated[
        float | None,
        TimestampOption("--until", "Only results completed before this time."),
    ] = None,
    data_dir: DataDir = None,
    database: Database = None,
) -> None:
    """Print the provenance records of a server, one JSON object per line, and check their chain.

    Every record has the hash of the one before, from the first on, so a record that was changed or removed
    shows, whatever --since says. Records that were cut off at the end do not: keep the last hash somewhere
    else. Also works while the server runs. Records stay when their task is deleted.

    Example: facecli audit export --since 180d --data-dir /srv/facecli > records.jsonl

    Exit codes: 0 success, 2 not a data directory, 6 database unreachable, 8 a record was changed or removed.
    """
    from facecli.bootstrap.audit import provenance_records

    exported, last = 0, None
    with provenance_records(settings) as records:
        for last in records:
            if (since or 0.0) <= last.time < (math.inf if until is None else until):
                shown = last.as_json()
                output.show(shown, text=json.dumps(shown, ensure_ascii=False), short=last.sha256)
                exported += 1
    if last:
        output.note(f"records: {exported} of {last.position}; the last hash of the chain is {last.sha256}")
    else:
        output.note("there are no records yet")


add_commands(app, {"export": export})
