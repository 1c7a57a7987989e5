"""Servers, workers and clients of two versions on one PostgreSQL and one S3, as in a rolling upgrade.

The earlier version comes from git: by default, the source before the newest migration. Its server and worker
run when the newer server migrates the database. Prints a table; exits with 1 if a row does not hold.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cluster.machines import OPTIONS, PostgresMachine, S3Machine, WorkerMachine
from tests.support.cluster.report import Finding, prepare_environment, say, text_of
from tests.support.e2e.files import MIB, make_file, sha256
from tests.support.e2e.process import CommandProcess, CommandResult
from tests.support.e2e.server import Server

ROOT = Path(__file__).parents[3]
MIGRATIONS = "facecli/metadata/migrations/versions"
CHUNK = 5 * MIB  # the least of S3
SIZE = 30  # MiB of an upload
RATE = 6 * MIB  # bytes a second, so that an upload can be broken off
USER = "ann"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A source tree, and the settings with which its processes use the database and the bucket."""

    name: str
    source: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {**self.settings, "PYTHONPATH": str(self.source), "PYTHONSAFEPATH": "1"}

    @property
    def schema(self) -> str:
        return max(path.name[:4] for path in (self.source / MIGRATIONS).glob("[0-9]*.py"))

    def command(self, *words: object, server: Server) -> CommandProcess:
        """A client of this version."""
        options = ("--server", server.address, "--user", USER, "--retry-for", "20s")
        return CommandProcess(*words, *options, environment=self.environment, cwd=self.source)

    def run(self, *words: object, server: Server) -> CommandResult:
        with self.command(*words, server=server) as process:
            result = process.wait()
        assert result.code == 0, result
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The server of one version, and the client with which it is used."""

    server: Server
    client: Version


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.cluster.upgrade", description=__doc__)
    parser.add_argument("--before", default="", help="commit of the earlier version")
    options = parser.parse_args()
    prepare_environment()
    with tempfile.TemporaryDirectory(prefix="facecli-upgrade-") as folder, ExitStack() as stack:
        findings = []
        for finding in run(Path(folder), options.before or before_newest_migration(), stack):
            say(text_of(finding))
            findings.append(finding)
    say(f"load average {os.getloadavg()[0]:.1f}")
    return 0 if all(holds for *_, holds in findings) else 1


def before_newest_migration() -> str:
    """The newest commit with all migrations but the last."""
    wanted = _migrations("HEAD")[:-1]
    for line in (
        _git("rev-list", "--full-history", "--parents", "HEAD", "--", MIGRATIONS).decode().splitlines()
    ):
        for commit in reversed(line.split()):
            if _migrations(commit) == wanted:
                return commit
    sys.exit("no commit has all migrations but the last; pass --before COMMIT")


def _migrations(commit: str) -> list[str]:
    return sorted(_git("ls-tree", "--name-only", commit, f"{MIGRATIONS}/").decode().splitlines())


def check_out(commit: str, folder: Path) -> Path:
    with tarfile.open(fileobj=BytesIO(_git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _git(*words: str) -> bytes:
    ran = subprocess.run(["git", "-C", ROOT, *words], stdout=subprocess.PIPE, check=False)
    if ran.returncode:
        sys.exit("git has not found that commit; in a shallow clone, run git fetch --unshallow first")
    return ran.stdout


def run(folder: Path, commit: str, stack: ExitStack) -> Iterator[Finding]:
    postgres, s3 = PostgresMachine(stack), S3Machine(folder / "s3", stack)
    settings = {"FACECLI_DATABASE": postgres.url, "FACECLI_BLOBS": s3.url, **s3.server.environment, **OPTIONS}
    old = Version(name="old", source=check_out(commit, folder / "source"), settings=settings)
    new = Version(name="new", source=ROOT, settings=settings)
    say(f"{_git('log', '-1', '--format=%h %s', commit).decode().strip()}")
    yield "two versions of the schema", f"{old.schema}, then {new.schema}", old.schema < new.schema
    of_old = stack.enter_context(_server(old, folder / "server-old"))
    worker = WorkerMachine("old", folder / "worker-old", old.environment, stack)
    files = iter(make_file(folder / f"{number}.mp4", mib=SIZE) for number in range(20))
    first = next(files)
    with _upload(old, first, of_old) as going_on:  # while the database is migrated
        going_on.wait_until_stored(CHUNK)
        of_new = stack.enter_context(_server(new, folder / "server-new"))
        result = going_on.wait()
    yield "upload during the migration", f"exit {result.code}", result.code == 0
    sides = [Side(server=server, client=client) for server in (of_old, of_new) for client in (old, new)]
    names = {of_old: "old", of_new: "new"}
    for begins, resumes in product(sides, sides):
        if begins.server is not resumes.server and begins.client is not resumes.client:
            title = f"{_title(begins, names)}, then {_title(resumes, names)}"
            yield f"upload: {title}", *_broken_upload(next(files), begins, resumes)
    media, face, clip = FfmpegMedia(), folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(clip, seconds=1, width=320, height=180)
    urls = [old.run("upload", path, "--json", server=of_old).object["file_url"] for path in (face, clip)]
    seeds = iter(range(100))
    for running in ("old", "new"):
        for creates, watches in product(sides, sides):
            if creates.server is not watches.server and creates.client is not watches.client:
                title = f"{_title(creates, names)}, then {_title(watches, names)}"
                yield f"task, {running} worker: {title}", *_task(urls, next(seeds), creates, watches)
        if running == "old":
            worker.stop()
            worker = WorkerMachine("new", folder / "worker-new", new.environment, stack)
    for side in sides:
        listed = side.client.run("file", "list", "--json", "--limit", "100", server=side.server)
        number = len(listed.out.splitlines())
        yield f"list of files: {_title(side, names)}", f"{number} files", number == 7
    worker.stop()
    for server in (of_old, of_new):
        code = server.terminate()
        yield f"end of the {names[server]} server", f"exit {code}", code == 0
    checked = ("fsck", "--data-dir", folder / "server-new")
    with CommandProcess(*checked, environment=new.environment) as process:
        result = process.wait()
    yield "fsck of the newer version", (result.out + result.err).splitlines()[-1], result.code == 0


def _title(side: Side, names: Mapping[Server, str]) -> str:
    return f"{side.client.name} client at {names[side.server]}"


def _server(version: Version, data: Path) -> Server:
    return Server(data, options=["--workers", "0"], environment=version.environment)


def _upload(client: Version, file: Path, server: Server) -> CommandProcess:
    options = ("--chunk-size", CHUNK, "--limit-rate", RATE, "--progress", "json", "--json")
    return client.command("upload", file, *options, server=server)


def _broken_upload(file: Path, begins: Side, resumes: Side) -> tuple[str, bool]:
    with _upload(begins.client, file, begins.server) as process:
        stored = process.wait_until_stored(2 * CHUNK)
        process.kill()
    with _upload(resumes.client, file, resumes.server) as process:
        result = process.wait()
    assert result.code == 0, result
    uploaded, size = result.object, file.stat().st_size
    again = uploaded["bytes_sent"] + stored - size
    same = begins.server.sha256(uploaded["file_url"], USER) == sha256(file)
    found = f"{stored >> 20} MiB, then {uploaded['bytes_sent'] >> 20}; {'equal' if same else 'DIFFERENT'}"
    return found, same and again <= CHUNK


def _task(urls: list[str], seed: int, creates: Side, watches: Side) -> tuple[str, bool]:
    files = ("--image", urls[0], "--video", urls[1], "--option", f"seed={seed}", "--option", "delay=2")
    created = creates.client.run("task", "create", *files, "--json", server=creates.server).object
    watched = watches.client.run("task", "watch", created["task_id"], "--json", server=watches.server)
    states = [each["status"] for each in watched.objects]
    return f"{len(states)} states, {states[-1]}", len(states) > 1 and states[-1] == "completed"


if __name__ == "__main__":
    sys.exit(main())
