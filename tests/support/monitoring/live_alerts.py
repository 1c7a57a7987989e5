"""Make each fault for real, and measure when its alerts fire and are resolved.

`python -m tests.support.monitoring.live_alerts` prints a table, as root on a machine with Debian's packages
prometheus, prometheus-alertmanager, postgresql and strace. Windows and waits of the alerts are shorter by
`--factor`: with 10 it takes a quarter of an hour. Prometheus looks every 2 seconds. `--panels FILE` stores
as JSON what the queries of the dashboard gave over the run.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from facecli.certificates import make_dev_certificates
from facecli.media.ffmpeg import FfmpegMedia
from facecli.operations.dashboard import ROWS
from tests.support.e2e.disks import tmpfs
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.support.monitoring import faults
from tests.support.monitoring.faults import Stage, to
from tests.support.monitoring.prometheus import Monitoring, monitoring
from tests.support.postgres import PROGRAMS, Postgres
from tests.support.sockets import free_port
from tests.support.web.http_client import ask

WAIT = 900.0  # seconds until an alert is given up

Fault = Callable[[Stage], AbstractContextManager[None]]

# Faults that may overlap run side by side: those of one server one after the other.
PLAN: Sequence[Sequence[tuple[Fault, Sequence[str]]]] = (
    (
        (faults.slow_disk, ["FacecliAcknowledgementSlow"]),
        (faults.silent_client, ["FacecliUploadsStalled"]),
        (faults.filling_disk, ["FacecliDiskFilling"]),
        (faults.full_disk, ["FacecliDiskFull"]),
    ),
    (
        (faults.stopped_database, ["FacecliDatabaseAway", "FacecliErrors"]),
        (faults.no_worker, ["FacecliQueueOld"]),
    ),
    (
        (faults.old_certificate, ["FacecliCertificateExpiring"]),
        (faults.old_token, ["FacecliTokenExpiring"]),
        (faults.old_backup, ["FacecliBackupOld"]),
        (faults.lost_directory, ["FacecliNotReady"]),
        (faults.killed_server, ["FacecliServerDown"]),
    ),
    (
        (faults.killed_worker, ["FacecliWorkerDown"]),
        (faults.failing_engine, ["FacecliTasksFailing"]),
        (faults.crashing_worker, ["FacecliCrashLoop"]),
    ),
)


@dataclass(frozen=True)
class Row:
    alert: str
    fault: str
    fired: float  # seconds after the fault began
    resolved: float  # seconds after it ended
    summary: str


@contextmanager
def stage(folder: Path, metrics: dict[str, str]) -> Iterator[Stage]:
    """Start everything; `metrics` are the addresses of the pages."""
    media = FfmpegMedia()
    face, clip = folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(clip, seconds=1, width=160, height=90)
    certificates(folder / "certs")
    with ExitStack() as stack:
        disk = stack.enter_context(tmpfs(folder / "disk", size="200m"))
        # Away from the disk of this machine, which others may fill.
        calm = stack.enter_context(tmpfs(folder / "calm", size="200m"))
        postgres = Postgres(PROGRAMS[-1].parent)
        stack.callback(postgres.close)
        postgres.start()

        def server(name: str, data: Path, *options: str, **environment: str) -> Server:
            words = ["--metrics", metrics[name], *options]
            started = Server(data, options=words, environment=environment, allow_tracebacks=True)
            return stack.enter_context(started)

        studio = server(
            "studio",
            disk / "data",
            *("--http", metrics["http"]),
            FACECLI_IDLE_LIMIT="2h",
            FACECLI_MIN_RATE="0",
        )
        shared = server("shared", calm / "shared", "--workers", "0", FACECLI_DATABASE=postgres.new_database())
        certs = folder / "certs"
        tls = ("--tls-cert", str(certs / "used.pem"), "--tls-key", str(certs / "server.key"))
        secure = server("secure", calm / "secure", "--workers", "0", *tls)

        def worker() -> CommandProcess:
            started = CommandProcess(
                *("worker", "--data-dir", studio.data, "--name", "extra", "--metrics", metrics["worker"])
            )
            stack.push(started)
            return started

        yield Stage(folder, studio, shared, secure, postgres, worker, [worker()], face, clip)


def certificates(folder: Path) -> None:
    """Files of one key: `server.pem` of a year, `short.pem` until tomorrow; `used.pem` is that of a year."""
    make_dev_certificates(folder, hosts=["localhost", "127.0.0.1"], user="ann")
    ca = trustme.CA()
    short = ca.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=1))
    (folder / "short.pem").write_bytes(short.cert_chain_pems[0].bytes())
    (folder / "used.pem").write_bytes((folder / "server.pem").read_bytes())


def measured(found: Monitoring, on: Stage, fault: Fault, alerts: Sequence[str]) -> Iterator[Row]:
    """Make one fault."""
    began = time.monotonic()
    fired = {}
    with fault(on):
        for alert in alerts:
            fired[alert] = found.wait(alert, firing=True, since=began, within=WAIT)
        ended = time.monotonic()
    for alert in alerts:
        resolved = found.wait(alert, firing=False, since=fired[alert].at, within=WAIT)
        summary = fired[alert].annotations["summary"]
        yield Row(alert, fault.__name__, fired[alert].at - began, resolved.at - ended, summary)


def use(on: Stage, http: str) -> None:
    """Do once what leaves a trace on the dashboard."""
    run("swap", on.face, on.clip, "-o", on.folder / "out.mp4", "--engine", "mock", *to(on.studio))
    url = run("upload", on.face, "--name", "other.png", "-q", *to(on.studio)).out.strip()
    run("file", "delete", url, *to(on.studio))
    run("task", "status", "0" * 32, *to(on.studio), expect=5)
    run("token", "create", "ann", "--expires", "30d", "--data-dir", on.secure.data)
    ask(f"http://{http}", "/healthz")


def empty_panels(found: Monitoring) -> list[str]:
    """The queries of the dashboard without data."""
    return [
        f"{panel.title}: {legend}"
        for panels in ROWS.values()
        for panel in panels
        for legend, query in panel.queries.items()
        if not found.query(query.replace("$__rate_interval", "1h"))
    ]


def graphs(found: Monitoring, *, since: float) -> list[dict[str, Any]]:
    """Each panel of the dashboard with the series of its queries since a time."""
    return [
        {
            "row": row,
            "title": panel.title,
            "unit": panel.unit,
            "queries": {
                legend: found.query_range(query.replace("$__rate_interval", "30s"), since=since)
                for legend, query in panel.queries.items()
            },
        }
        for row, panels in ROWS.items()
        for panel in panels
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--panels", type=Path)
    parser.add_argument("--only", metavar="FAULT", help="make only this fault")
    options = parser.parse_args()
    factor, began = options.factor, time.time()
    rows: list[Row] = []
    failures: list[str] = []
    metrics = {name: f"127.0.0.1:{free_port()}" for name in ("studio", "shared", "secure", "worker", "http")}
    jobs = {
        "facecli": [metrics[name] for name in ("studio", "shared", "secure")],
        "facecli-worker": [metrics["worker"]],
    }
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        on = stack.enter_context(stage(folder, metrics))
        found = stack.enter_context(monitoring(folder, jobs, factor=factor))
        eventually(lambda: _is_up(found))
        use(on, metrics["http"])

        ended = threading.Barrier(len(PLAN))

        def run_all(of_server: Sequence[tuple[Fault, Sequence[str]]]) -> None:
            for fault, alerts in of_server:
                if options.only not in {None, fault.__name__}:
                    continue
                try:
                    for row in measured(found, on, fault, alerts):
                        rows.append(row)
                        print(f"{row.alert}: {row.fired:.0f} s, {row.resolved:.0f} s", flush=True)  # noqa: T201
                except (AssertionError, OSError, RuntimeError) as error:
                    failures.append(f"{fault.__name__}: {error}")
                    print(failures[-1], flush=True)  # noqa: T201

            ended.wait()  # a PostgreSQL ends with the thread that started it

        threads = [threading.Thread(target=run_all, args=(of_server,)) for of_server in PLAN]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        without_data = empty_panels(found)
        if options.panels:
            options.panels.write_text(json.dumps(graphs(found, since=began)))
    print("| alert | fault | fired, s | resolved, s | summary |\n|---|---|---|---|---|")  # noqa: T201
    for row in sorted(rows, key=lambda row: row.alert):
        cells = [row.alert, row.fault, f"{row.fired:.0f}", f"{row.resolved:.0f}", row.summary]
        print(f"| {' | '.join(cells)} |")  # noqa: T201
    print("queries without data:", ", ".join(without_data) or "none")  # noqa: T201
    if failures:
        raise SystemExit("\n".join(failures))


def _is_up(found: Monitoring) -> bool:
    try:
        return len(found.query("up == 1")) == 4
    except (OSError, ValueError, KeyError):
        return False


if __name__ == "__main__":
    main()
