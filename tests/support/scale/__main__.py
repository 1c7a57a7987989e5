"""Fill databases with generated rows, and measure a service on them.

`python -m tests.support.scale measure` fills a nearly empty and a full database of each kind, and prints the
milliseconds of every operation on both, with their ratio. The files of SQLite stay in `--directory`, and the
databases of a `--postgresql` server on it, for the next run. `simulate` runs workers on a PostgreSQL.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from psycopg import sql

from tests.support.postgres import PROGRAMS, Postgres
from tests.support.scale.fill import fill, postgres_connection
from tests.support.scale.measure import Place, measure
from tests.support.scale.rows import Scale
from tests.support.scale.simulate import CONNECTIONS, SETTINGS, Simulation, simulate

EMPTY = Scale(uploads=4000, tasks=4000, waiting=20)  # so that an owner has a page of everything

show = partial(print, flush=True)


def sqlite_place(directory: Path, scale: Scale) -> Place:
    place = Place(
        url=f"sqlite:///{directory}/facecli.db", queue_url=f"sqlite:///{directory}/queue.db", scale=scale
    )
    if not directory.exists():
        directory.mkdir(parents=True)
        _fill(place)
    return place


def postgres_place(server: str, scale: Scale) -> Place:
    name = f"scale_{scale.uploads}"
    url = server.replace("/postgres?", f"/{name}?")
    place = Place(url=url, queue_url=url, scale=scale)
    with closing(postgres_connection(server)) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    if not exists:
        _fill(place)
    return place


def postgres_programs(*, connections: int = 60, settings: Sequence[str] = ()) -> Postgres:
    """A server that has not been started."""
    if not PROGRAMS:
        sys.exit("this needs PostgreSQL's server (apt-get install postgresql)")
    return Postgres(PROGRAMS[-1].parent, connections=connections, settings=settings)


def postgres_server(stack: ExitStack) -> str:
    """The URL of a server that runs until `stack` closes."""
    server = stack.enter_context(closing(postgres_programs()))
    server.start()
    return server.url("postgres")


def _fill(place: Place) -> None:
    began = time.monotonic()
    fill(place.url, place.scale, queue_url=place.queue_url)
    show(f"filled {place.url.split('?')[0]} in {time.monotonic() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["measure", "simulate"])
    parser.add_argument("--uploads", type=int, default=1_000_000)
    parser.add_argument("--tasks", type=int, default=200_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--directory", type=Path, help="for the files of SQLite, which stay")
    parser.add_argument("--only", default="", help="measure only operations with this in their names")
    parser.add_argument("--postgresql", default="", help="URL of the database `postgres` of a running server")
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--task-seconds", type=float, default=1.0)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds to measure")
    parser.add_argument("--busy", type=float, default=60.0, help="seconds to measure")
    options = parser.parse_args()
    if options.command == "simulate":
        _simulate(options)
    else:
        _measure(options)


def _simulate(options: argparse.Namespace) -> None:
    simulation = Simulation(
        workers=options.workers,
        waiting=options.waiting,
        task=options.task_seconds,
        idle=options.idle,
        busy=options.busy,
    )
    with closing(postgres_programs(connections=CONNECTIONS, settings=SETTINGS)) as server:
        simulate(server, simulation, show)


def _measure(options: argparse.Namespace) -> None:
    full = Scale(uploads=options.uploads, tasks=options.tasks, waiting=options.waiting)
    with ExitStack() as stack:
        if options.database != "postgresql":
            if not options.directory:
                sys.exit("--directory is missing: the files of SQLite need one")
            places = [sqlite_place(options.directory / f"{each.uploads}", each) for each in (EMPTY, full)]
            show("\nSQLite")
            measure(*places, wanted=options.only, show=show)
        if options.database != "sqlite":
            server = options.postgresql or postgres_server(stack)
            places = [postgres_place(server, each) for each in (EMPTY, full)]
            show("\nPostgreSQL")
            measure(*places, wanted=options.only, show=show)


if __name__ == "__main__":
    main()
