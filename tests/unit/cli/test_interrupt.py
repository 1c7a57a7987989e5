"""Ctrl-C at any time: exit code 130 and a hint on how to resume."""

import fcntl
import json
import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import IO

import pytest

from tests.conftest import ROOT
from tests.support.cli import DEADLINE, Server, process, run_server, started
from tests.support.eventually import eventually

pytestmark = pytest.mark.slow


WORDS = [
    "facecli: interrupted; the server keeps the data it has stored",
    "  hint: run the same command again to resume",
]

# Python runs it before anything of ours; it presses Ctrl-C when a module is about to be imported.
PRESS_WHEN_IMPORTED = """
import os, signal, sys
def press(event, what):
    if event == "import" and what[0] == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(press)
"""


@pytest.mark.parametrize(
    "module", ["typer", "facecli.client.transfers", "grpc", "facecli.client.upload_state"]
)
def test_interrupt_during_start_up(user: str, tmp_path: Path, large: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(PRESS_WHEN_IMPORTED.format(module=module))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = process("upload", large, env=environment)
    assert (ran.code, ran.out, ran.err.splitlines()) == (130, "", WORDS)


def test_interrupt_during_an_upload(user: str, server: Server, large: Path) -> None:
    with sending(large) as upload:
        check_interrupted(upload)


def test_interrupt_while_waiting_for_a_dead_server(user: str, large: Path, tmp_path: Path) -> None:
    with (
        run_server(tmp_path / "dies") as server,
        sending(large, "--server", server.address, "--retry-for", "10m") as upload,
    ):
        server.process.kill()
        assert upload.stderr
        assert any('"event": "waiting"' in line for line in upload.stderr)
        check_interrupted(upload)


def test_interrupt_while_reading_standard_input(user: str) -> None:
    reading, writing = os.pipe()
    with (
        os.fdopen(writing, "wb", buffering=0) as typing,
        os.fdopen(reading, "rb") as keyboard,
        started("upload", "-", "--name", "clip.mp4", stdin=keyboard) as upload,
    ):
        typing.write(b"a part of a clip")
        wait_until_read(keyboard, upload.pid)
        check_interrupted(upload)


def test_an_interrupt_is_a_json_error_with_json(user: str, server: Server, large: Path) -> None:
    with sending(large, "--json") as upload:
        upload.send_signal(signal.SIGINT)
        _, err = upload.communicate(timeout=DEADLINE)
    message, hint = WORDS[0].removeprefix("facecli: "), WORDS[1].removeprefix("  hint: ")
    error = {"reason": "CANCELLED", "message": message, "hint": hint, "exit_code": 130}
    assert (upload.returncode, json.loads(err.splitlines()[-1])) == (130, {"error": error})


def test_an_interrupted_upload_resumes(user: str, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(os.urandom(24 * 1024 * 1024))
    with sending(path, "--limit-rate", "4MB") as upload:
        check_interrupted(upload)
    again = process("upload", path, "--chunk-size", "1MiB", "--json")
    assert again.code == 0
    assert again.object["bytes_skipped"] >= 1024 * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A sparse file large enough to be interrupted in the middle."""
    path = tmp_path / "long.mp4"
    with path.open("wb") as empty:
        os.truncate(empty.fileno(), 1024**3)
    return path


@contextmanager
def sending(path: Path, *options: str) -> "Iterator[Popen[str]]":
    """A running upload whose first chunk is stored."""
    with started("upload", path, "--chunk-size", "1MiB", "--progress", "json", *options) as upload:
        assert upload.stderr
        assert any('"stored": 1048576,' in line for line in upload.stderr)
        yield upload


def check_interrupted(running: "Popen[str]") -> None:
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=DEADLINE)
    assert (running.returncode, out) == (130, "")
    assert [line for line in err.splitlines() if not line.startswith("{")] == WORDS


def wait_until_read(pipe: IO[bytes], pid: int) -> None:
    """Wait until a process has read all input and sleeps, waiting for more."""

    def is_read() -> bool:
        unread = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return not unread and state == "S"

    eventually(is_read)
