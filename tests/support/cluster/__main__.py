"""Uploads, watchers and tasks while every process of a cluster is killed in turn, then a rolling restart.

Three servers, three workers, PostgreSQL, S3 and a proxy, all on this machine. It proves that nothing that
was acknowledged is lost, that a break costs a chunk and a part at most, that every task runs to its end once,
with the same bytes, and that no command fails while everything is restarted. Prints a table; exits with 1 if
a row does not hold. Every command of the users goes through the proxy, over TLS.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.support.cluster.load import CHUNK, Commands, Tasks, Uploads
from tests.support.cluster.machines import Cluster, Machine, running_cluster
from tests.support.cluster.report import Finding, prepare_environment, say, text_of
from tests.support.cluster.results import differences, usual_checksum
from tests.support.eventually import eventually, poll

DOWN = 1.5  # seconds for which a killed process stays away
PAUSE = 3.0  # seconds between two kills
ROLL = 2.0  # seconds between two restarts


def main() -> int:
    options = arguments()
    prepare_environment()
    findings: list[tuple[str, Finding]] = []
    for proxy in ("haproxy", "nginx") if options.proxy == "both" else (options.proxy,):
        with tempfile.TemporaryDirectory(prefix="facecli-cluster-", dir=options.folder) as folder:
            findings += [(proxy, finding) for finding in run(proxy, Path(folder), options)]
    say(f"\nload average {os.getloadavg()[0]:.1f}")
    for proxy, finding in findings:
        say(f"{proxy:8} {text_of(finding)}")
    return 0 if all(holds for _, (_, _, holds) in findings) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.cluster", description=__doc__)
    parser.add_argument("--proxy", choices=("haproxy", "nginx", "both"), default="both")
    parser.add_argument("--mib", type=int, default=20, help="size of each upload, in MiB")
    parser.add_argument("--uploads", type=int, default=2)
    parser.add_argument("--watchers", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--size", type=int, default=3, help="number of servers, and of workers")
    parser.add_argument("--pace", type=int, default=8, help="seconds of upload for each kill")
    parser.add_argument("--folder", default=None, help="directory for everything, which is removed")
    parser.add_argument("--keep", type=Path, default=None, help="directory for results that differ")
    return parser.parse_args()


def run(proxy: str, folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    began = time.monotonic()

    def log(text: str) -> None:
        say(f"{proxy} {time.monotonic() - began:6.1f} s  {text}")

    def logged(findings: Iterable[Finding]) -> Iterator[Finding]:
        for finding in findings:
            log(text_of(finding))
            yield finding

    with (
        ExitStack() as stack,
        running_cluster(folder / "cluster", proxy=proxy, size=options.size) as cluster,
    ):
        log("the cluster runs")
        tasks = Tasks(cluster, folder, number=options.tasks, watchers=options.watchers)
        stack.callback(tasks.close)
        seconds = len(cluster.machines) * options.pace
        uploads = Uploads(cluster, folder, number=options.uploads, mib=options.mib, seconds=seconds)
        eventually(lambda: uploads.stored() > 0)
        for machine in cluster.machines:
            log(
                f"kill {machine.name}; {uploads.running} uploads, {tasks.running} watchers, "
                f"{uploads.stored() >> 20} MiB stored"
            )
            if machine.name == "s3":
                uploads.bucket_was_killed()
            kill(machine)
        log("all were killed once")
        yield from logged(check_uploads(uploads, folder))
        log("the uploads have ended")
        yield from logged(check_tasks(cluster, tasks, folder, kept=options.keep))
        log("the tasks have ended")
        yield from logged(restart_all(cluster, tasks, folder, options, log))


def restart_all(
    cluster: Cluster, tasks: Tasks, folder: Path, options: argparse.Namespace, log: Callable[[str], None]
) -> Iterator[Finding]:
    """Restart everything in turn, while large uploads go on and short commands run."""
    seconds = len(cluster.machines) * options.pace
    uploads = Uploads(cluster, folder, number=options.uploads, mib=options.mib, seconds=seconds)
    commands = Commands(cluster, folder, tasks.urls)
    with commands.running(3):
        eventually(lambda: uploads.stored() > 0 and commands.done > 0)
        for machine in cluster.machines:
            log(
                f"restart {machine.name}; {uploads.running} uploads, {commands.done} commands ran, "
                f"{uploads.stored() >> 20} MiB stored"
            )
            if machine.name == "s3":
                uploads.bucket_was_killed()
            machine.stop()
            machine.start()
            wait(ROLL)
        log("all were restarted once")
    for failure in commands.failed:
        log(failure)
    found = f"{len(commands.failed)} of {commands.done} commands failed"
    yield "rolling restart of everything", found, not commands.failed and commands.done > 0
    for what, found, holds in check_uploads(uploads, folder):
        yield f"restarts: {what}", found, holds


def kill(machine: Machine) -> None:
    machine.kill()
    wait(DOWN)
    machine.start()
    wait(PAUSE)


def wait(seconds: float) -> None:
    poll(bool, within=seconds)


def check_uploads(uploads: Uploads, folder: Path) -> Iterator[Finding]:
    ended = list(uploads.results(folder))
    for each in ended:
        say(str(each))
    lost = [each.name for each in ended if each.back or each.code or not each.same]
    sizes = sum(each.size for each in ended) >> 20
    yield (
        "uploads complete, downloaded equal",
        f"{len(ended) - len(lost)} of {len(ended)}, {sizes} MiB",
        not lost,
    )
    breaks = sum(each.breaks for each in ended)
    worst = max((each.resent / each.breaks for each in ended if each.breaks), default=0)
    found = f"{breaks} breaks; worst upload {worst / CHUNK:.2f} chunks each"
    yield "at most one chunk sent twice a break", found, breaks > 0 and worst <= CHUNK


def check_tasks(cluster: Cluster, tasks: Tasks, folder: Path, *, kept: Path | None) -> Iterator[Finding]:
    watched = tasks.watched()
    wrong = [
        each
        for each in watched
        if each.error or each.statuses[-1:] != ["completed"] or each.revisions != sorted(set(each.revisions))
    ]
    for each in wrong:
        say(str(each))
    yield "watchers saw their task complete", f"{len(watched) - len(wrong)} of {len(watched)}", not wrong
    again = [each for each in watched if each.statuses.count("completed") > 1]
    stored = {
        task_id: [path for path in (cluster.files / "outputs" / task_id).iterdir() if path.suffix != ".sheet"]
        for task_id in tasks.ids
    }
    # A run that lost its lease after it had written its file cannot publish it; gc collects that file.
    orphans = sum(len(files) - 1 for files in stored.values())
    found = f"{len(stored)} tasks, {orphans} unpublished files of lost runs, {len(again)} completed again"
    yield "every task completed once", found, all(stored.values()) and not again
    results = tasks.results(folder)
    for line in differences(results, kept=kept):
        say(line)
    missing = sum(bool(each.error) for each in results.values())
    usual = usual_checksum(results)
    equal = sum(not each.error and each.sha256 == usual for each in results.values())
    found = f"{equal} of {len(results)} equal, {missing} not downloaded"
    yield "results are byte-identical", found, equal == len(results)


if __name__ == "__main__":
    sys.exit(main())
