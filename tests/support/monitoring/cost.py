"""Measure the CPU that metrics, or traces, cost a server per upload, in pairs.

`python -m tests.support.monitoring.cost metrics --rounds 8` uploads 500 MiB in turns to a server with and
one without, and prints the CPU seconds of the server for each, and their ratios. With `recorder` it only
records the events of such an upload many times, because the difference is less than the noise of the pairs.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from facecli.core import events
from facecli.telemetry.metrics.exposition import Exposition
from facecli.uploads.upload import CHUNK_SIZE
from tests.support.e2e.files import make_file
from tests.support.e2e.process import run
from tests.support.e2e.server import Server
from tests.support.monitoring.otlp_receiver import otlp_receiver
from tests.support.sockets import free_port

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def upload(server: Server, file: Path) -> float:
    """The server's CPU seconds for one upload, which is deleted."""
    before = cpu_seconds(server.pid)
    url = run(
        "upload", file, "-q", "--no-resume", "--server", server.address, "--retry-for", "5s"
    ).out.strip()
    used = cpu_seconds(server.pid) - before
    run("file", "delete", url, "--server", server.address)
    return used


def recorder_seconds(mib: int) -> float:
    """CPU seconds in which the metrics record the events of an upload, with a commit for each chunk."""
    record = Exposition(engines=["mesh", "mock"], sources=[]).recorder
    chunk = [
        events.ChunkStored(upload_id="u1", owner="ann", index=0, size=CHUNK_SIZE),
        events.BatchCommitted(chunks=1, flush=0.01, commit=0.001),
        events.ChunkAcknowledged(receive=0.01, write=0.01, acknowledge=0.01),
    ]
    chunks, times = -(-mib * 1024 * 1024 // CHUNK_SIZE), 200
    began = time.process_time()
    for _ in range(times * chunks):
        for event in chunk:
            record(event)
    return (time.process_time() - began) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["metrics", "traces", "recorder"])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--mib", type=int, default=500)
    options = parser.parse_args()
    if options.what == "recorder":
        milliseconds = recorder_seconds(options.mib) * 1000
        sys.stdout.write(f"{milliseconds:.2f} ms for an upload of {options.mib} MiB\n")
        return
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        file = make_file(folder / "content.mp4", mib=options.mib)
        words, environment = ["--workers", "0"], {}
        if options.what == "metrics":
            extra = ["--metrics", f"127.0.0.1:{free_port()}"]
        else:
            extra = []
            url = stack.enter_context(otlp_receiver()).url
            environment = {"FACECLI_TRACES": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": url}
        without = stack.enter_context(Server(folder / "without", options=words))
        having = stack.enter_context(
            Server(folder / "with", options=[*words, *extra], environment=environment)
        )
        upload(without, file), upload(having, file)
        pairs = []
        for number in range(options.rounds):
            order = (without, having) if number % 2 else (having, without)
            used = {server: upload(server, file) for server in order}
            pairs.append((used[without], used[having]))
            load = os.getloadavg()[0]
            sys.stdout.write(f"without {pairs[-1][0]:.2f} s, with {pairs[-1][1]:.2f} s, load {load:.1f}\n")
        for name, values in (
            ("without, s", [first for first, _ in pairs]),
            ("with, s", [second for _, second in pairs]),
            ("ratio", [second / first for first, second in pairs]),
        ):
            found = f"{min(values):.3f} {statistics.median(values):.3f} {max(values):.3f}"
            sys.stdout.write(f"{name}: min median max {found}\n")


if __name__ == "__main__":
    main()
