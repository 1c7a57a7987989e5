"""Calls per second of one server and of three on one PostgreSQL, side by side.

Run it on an idle machine: python -m tests.support.rpc.load_servers. Clients, servers and PostgreSQL share its
processors, so more servers are faster only where these have some left.
"""

import itertools
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from facecli.client.connection import Connection
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.builders import NEW
from tests.support.e2e.server import Server
from tests.support.postgres import PROGRAMS, Postgres
from tests.unit.rpc.conftest import Stubs

PROCESSES = 2  # of clients
THREADS = 4  # in each
SECONDS = 3.0  # of each measurement
ROUNDS = 3
CONNECTIONS = 200  # of PostgreSQL: 38 for each server
TASK_ID = "t1"
WITHOUT_WORKERS = ("--workers", "0")
SETTINGS = {"FACECLI_MAX_USER_UNFINISHED": "0", "FACECLI_LOG_LEVEL": "error"}

_numbers = itertools.count()


def status(stubs: Stubs, user: str) -> None:
    stubs.videos.GetTaskStatus(video_pb.TaskStatusRequest(task_id=TASK_ID))


def begun(stubs: Stubs, user: str) -> None:
    stubs.uploads.BeginUpload(
        upload_pb.BeginUploadRequest(
            user_id=user, name=f"{next(_numbers)}.mp4", file_type="video", size=10, chunk_size=10, fresh=True
        )
    )


CALLS: dict[str, Callable[[Stubs, str], None]] = {"status": status, "begin": begun}


def calls_of_client(order: tuple[str, str]) -> int:
    """The calls that a client process makes in the time of a measurement."""
    servers, name = order
    with Connection(servers, call_timeout=30) as connection, ThreadPoolExecutor(THREADS) as pool:
        stubs, call = Stubs(connection.channel), CALLS[name]
        call(stubs, "first")
        until = time.monotonic() + SECONDS

        def repeat(thread: int) -> int:
            user, count = f"{os.getpid()}-{thread}", 0
            while time.monotonic() < until:
                call(stubs, user)
                count += 1
            return count

        return sum(pool.map(repeat, range(THREADS)))


def main() -> None:
    rates: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(PROGRAMS[-1].parent, connections=CONNECTIONS)
        stack.callback(postgres.close)
        postgres.start()
        url = postgres.new_database()
        environment = {**SETTINGS, "FACECLI_DATABASE": url}
        clusters = {}
        pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(PROCESSES))
        for count in (1, 3):
            started = [
                stack.enter_context(
                    Server(
                        Path(folder) / f"{count}-{number}",
                        options=["--workers", "0"],
                        environment=environment,
                    )
                )
                for number in range(count)
            ]
            clusters[count] = ",".join(server.address for server in started)
        engine = open_database(url)
        SqlTaskRepository(engine).insert(NEW, task_id=TASK_ID, now=time.time())
        engine.dispose()
        for _ in range(ROUNDS):
            for name, (count, servers) in itertools.product(CALLS, clusters.items()):
                made = sum(pool.map(calls_of_client, [(servers, name)] * PROCESSES))
                rates.setdefault((name, count), []).append(made / SECONDS)
                sys.stdout.write(f"{name} with {count} server(s): {made / SECONDS:.0f} calls per second\n")
                sys.stdout.flush()
    for (name, count), found in rates.items():
        values = f"{min(found):.0f} / {statistics.median(found):.0f} / {max(found):.0f}"
        sys.stdout.write(f"{name} with {count} server(s): {values} calls per second (min / median / max)\n")
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors\n")


if __name__ == "__main__":
    main()
