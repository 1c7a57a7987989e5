"""Runs `facecli` in this process or as a child process, and starts a server for it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facecli.cli.app import run

DEADLINE = 240.0  # seconds; when a test gives up, never how long something may take

TASK = {
    *("task_id", "status", "progress", "frames_done", "frames", "stage", "round", "attempt"),
    *("engine", "image_url", "video_url"),
    *("key", "engine_version", "options", "from", "to", "preview_url", "image_name", "video_name"),
    *("result_url", "result_size", "result_crc32c", "error", "notes", "figures", "webhook"),
    *("created_at", "updated_at", "revision"),
}
UPLOAD = {
    *("file_url", "upload_id", "name", "size", "crc32c", "chunks"),
    *("bytes_sent", "bytes_skipped", "retries", "seconds"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one per line."""
        return [json.loads(line) for line in self.lines]

    @property
    def object(self) -> dict[str, Any]:
        (only,) = self.objects
        return only

    @property
    def error(self) -> dict[str, Any]:
        """The JSON error on the last line of stderr, checked for completeness."""
        words = json.loads(self.err.splitlines()[-1])
        assert list(words) == ["error"]
        error: dict[str, Any] = words["error"]
        assert set(error) - {"request_id"} == {"reason", "message", "hint", "exit_code"}
        assert error["exit_code"] == self.code
        return error


def facecli(*arguments: object) -> Ran:
    """Run a command line in this process and capture its output."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def words(*arguments: object) -> list[str]:
    """Arguments that start `facecli` as a process."""
    return [sys.executable, "-m", "facecli", *map(str, arguments)]


def process(*arguments: object, **options: Any) -> Ran:
    """Run `facecli` as a process until it exits; the options are those of `subprocess.run`."""
    done = subprocess.run(words(*arguments), capture_output=True, text=True, check=False, **options)
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@contextmanager
def started(
    *arguments: object, stdin: IO[bytes] | int = subprocess.DEVNULL, **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    """Start `facecli` as a process; kill it on exit if it still runs."""
    with subprocess.Popen(
        words(*arguments),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running `facecli serve` with its address and data directory."""

    address: str
    data: Path
    process: "subprocess.Popen[str]"

    def database(self) -> Path:
        return self.data / "facecli.db"

    def result(self, task_id: str) -> Path:
        """The file of a task's result."""
        files = (path for path in (self.data / "outputs" / task_id).rglob("*") if path.is_file())
        (result,) = (path for path in files if not path.parent.name.endswith(".sheet"))
        return result


@contextmanager
def run_server(data: Path, **environment: str) -> Iterator[Server]:
    """Run a server in its own process; its log is next to its data directory."""
    with (
        data.with_suffix(".log").open("w") as log,
        subprocess.Popen(
            words("serve", "--bind", "127.0.0.1:0", "--data-dir", data),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **environment},
        ) as running,
    ):
        assert running.stdout
        try:
            said, _, address = running.stdout.readline().strip().rpartition(" ")
            assert said == "listening on", Path(log.name).read_text()
            yield Server(address=address, data=data, process=running)
        finally:
            running.terminate()
