"""Measure uploads of browsers beside others, in alternation: seconds, and CPU of client and server.

`python -m tests.support.web.load_uploads --mib 500 --rounds 5 --peer /tmp/peer/node_modules` prints the
seconds of each kind of upload as median, smallest and largest, the CPU seconds of both sides, and the ratio
of each pair round by round. `--peer` has @tus/server and @tus/file-store, which the tests do not need.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.e2e.requirements import NODE_MODULES
from tests.support.sockets import free_port
from tests.support.web.http_client import ask
from tests.support.web.page import describe
from tests.support.web.tus import BODY_TYPE, encoded

FOREIGN = Path(__file__).parents[2] / "foreign/web"
FACECLI = (sys.executable, "-m", "facecli")
TICKS = os.sysconf("SC_CLK_TCK")

PAIRS = {
    "tus-js": "tus-js to @tus/server",
    "curl PATCH": "plain TCP and fsync",
    "UploadChunk, 1 call": "facecli upload",
    "UploadChunk, 3 calls": "facecli upload",
}  # each and what it is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: of the whole, and of CPU on both sides."""

    wall: float
    client: float
    server: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An upload: the id of its server's process, and the command of its client."""

    server: int
    command: Callable[[], list[str]]

    def run(self, environment: Mapping[str, str]) -> Timing:
        command, before = self.command(), cpu_seconds(self.server)
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        client = usage.ru_utime + usage.ru_stime
        return Timing(wall=wall, client=client, server=cpu_seconds(self.server) - before)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def listening(*command: object, environment: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """A server that prints one line when it is ready; its process id and the last word of that line."""
    with subprocess.Popen(
        [str(each) for each in command], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.pid, process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def new_upload(url: str, path: Path) -> str:
    """Begin an upload by tus; its URL."""
    headers = {
        "tus-resumable": "1.0.0",
        "upload-length": str(path.stat().st_size),
        "upload-metadata": f"filename {encoded(path.name)}",
    }
    return url + ask(url, "/files", method="POST", headers=headers).headers["location"]


def patch_command(url: str, path: Path) -> list[str]:
    headers = ("tus-resumable: 1.0.0", "upload-offset: 0", f"content-type: {BODY_TYPE}")
    options = [option for header in headers for option in ("-H", header)]
    return ["curl", "-sf", "-X", "PATCH", *options, "-T", str(path), new_upload(url, path)]


def jobs(
    folder: Path, content: Path, peer: str, stack: ExitStack, environment: Mapping[str, str]
) -> dict[str, Job]:
    def listen(*command: object, **more: str) -> tuple[int, str]:
        return stack.enter_context(listening(*command, environment={**environment, **more}))

    describe(folder)
    http = f"127.0.0.1:{free_port()}"
    url = f"http://{http}"
    serve = ("serve", "--bind", "127.0.0.1:0", "--http", http, "--workers", "0")
    server, grpc = listen(*FACECLI, *serve, "--data-dir", folder / "data", "--engine", "mock")
    raw, raw_port = listen(sys.executable, "-m", "tests.support.web.raw_transfer", "serve", folder)
    send = [sys.executable, "-m", "tests.support.web.raw_transfer", "send", raw_port, str(content)]
    tus, chunks = str(FOREIGN / "tus_upload.cjs"), str(FOREIGN / "chunk_upload.cjs")
    descriptors = str(folder / "descriptors.bin")
    found = {
        "tus-js": Job(server=server, command=lambda: ["node", tus, f"{url}/files", str(content)]),
        "curl PATCH": Job(server=server, command=lambda: patch_command(url, content)),
        "plain TCP and fsync": Job(server=raw, command=lambda: send),
        "facecli upload": Job(
            server=server,
            command=lambda: [*FACECLI, "upload", "--server", grpc, "--no-resume", "-q", str(content)],
        ),
    }
    for calls, name in (("1", "UploadChunk, 1 call"), ("3", "UploadChunk, 3 calls")):
        command = ["node", chunks, url, descriptors, str(content), calls]
        found[name] = Job(server=server, command=partial(list, command))
    if peer:
        (folder / "peer").mkdir()
        other, port = listen("node", FOREIGN / "tus_server.cjs", folder / "peer", NODE_PATH=peer)
        endpoint = f"http://127.0.0.1:{port}/files"
        found["tus-js to @tus/server"] = Job(
            server=other, command=lambda: ["node", tus, endpoint, str(content)]
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", default="", help="node_modules with @tus/server and @tus/file-store")
    parser.add_argument("--only", default="", help="the beginning of the names of the uploads")
    arguments = parser.parse_args()
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "FACECLI_LOG_LEVEL": "error"}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        content = folder / "content.mp4"
        with content.open("wb") as file:
            file.writelines(os.urandom(2**20) for _ in range(arguments.mib))
        found = jobs(folder, content, arguments.peer, stack, environment)
        chosen = {key: job for key, job in found.items() if key.startswith(arguments.only)}
        timings: dict[str, list[Timing]] = {key: [] for key in chosen}
        for _ in range(arguments.rounds):
            for key, job in chosen.items():
                timings[key].append(job.run(environment))
                for stored in (folder / "peer").glob("*"):
                    stored.unlink()
        show(timings, PAIRS.items())


def show(timings: Mapping[str, list[Timing]], pairs: Iterable[tuple[str, str]]) -> None:
    """Print tables of seconds and ratios: median (smallest to largest)."""
    sys.stdout.write("| upload | seconds | client CPU | server CPU |\n|---|---|---|---|\n")
    for name, rows in timings.items():
        cells = (shown([getattr(row, side) for row in rows]) for side in ("wall", "client", "server"))
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
    for name, other in pairs:
        if name in timings and other in timings:
            rounds = zip(timings[name], timings[other], strict=True)
            ratios = shown([mine.wall / theirs.wall for mine, theirs in rounds])
            sys.stdout.write(f"{name} / {other}: {ratios}\n")


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
