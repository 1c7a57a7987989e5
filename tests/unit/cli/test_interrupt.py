"""Ctrl-C at any time: exit code 130, what goes on, and how to resume."""

import fcntl
import json
import os
import shutil
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, Any

import pytest

from facecli.cli import demo
from facecli.cli.shared.interrupts import Interruption
from tests.conftest import ROOT
from tests.support.cli import DEADLINE, Server, process, run_server, started
from tests.support.eventually import eventually
from tests.unit.cli.conftest import Samples

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


def test_an_interrupted_swap_says_how_to_cancel_its_task(
    user: str, server: Server, samples: Samples, tmp_path: Path
) -> None:
    swap = ("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4", "--progress", "json")
    with started(*swap, "--option", "delay=600", "--server", server.address) as running:
        assert running.stderr
        task_id = next(json.loads(line)["task_id"] for line in running.stderr if '"event": "task"' in line)
        flags = f"--server {server.address}"
        hint = f"run the same command again for its result; facecli task cancel {task_id} {flags} cancels"
        message = f"interrupted; task {task_id} continues on the server"
        try:
            check_interrupted(running, [f"facecli: {message}", f"  hint: {hint}"])
        finally:
            cancelled = process(*hint.split("; ")[1].split()[1:-1])
    assert cancelled.code == 0


def test_an_interrupted_demo_says_that_nothing_stays(user: str, tmp_path: Path) -> None:
    with started("demo", "--progress", "json", TMPDIR=str(tmp_path)) as running:
        assert running.stderr
        assert any('"event": "task"' in line for line in running.stderr)
        words = ["facecli: interrupted; the temporary server and its files are removed"]
        check_interrupted(running, words)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_temporary_directory_is_removed_although_a_dying_process_still_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remove = shutil.rmtree
    written: list[Path] = []

    def remove_while_written(folder: Path, **options: Any) -> None:
        remove(folder, **options)
        if len(written) < 2:
            written.append(folder / "frame.png")
            folder.mkdir()
            written[-1].touch()

    monkeypatch.setattr(demo, "REMOVAL_INTERVAL", 0)
    monkeypatch.setattr(shutil, "rmtree", remove_while_written)
    with demo.temporary_folder() as folder:
        (folder / "clip.mp4").touch()
    assert len(written) == 2
    assert not folder.exists()


def test_a_command_that_stores_nothing_promises_nothing(user: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(PRESS_WHEN_IMPORTED.format(module="grpc"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = process("task", "list", env=environment)
    assert (ran.code, ran.out, ran.err) == (130, "", "facecli: interrupted\n")


def test_no_resume_is_left_out_to_resume(user: str, server: Server, large: Path) -> None:
    with sending(large, "--no-resume") as upload:
        hint = "  hint: run the same command without --no-resume to resume"
        check_interrupted(upload, [WORDS[0], hint])


STUCK = """
import time
from facecli.cli.shared.interrupts import handle_interrupts
handle_interrupts()
try:
    print("working", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("cleaning up", flush=True)
    time.sleep(600)
"""


def test_a_second_interrupt_ends_a_long_cleanup_at_once() -> None:
    with Popen([sys.executable, "-c", STUCK], stdout=PIPE, text=True) as stuck:
        assert stuck.stdout
        for line in ("working\n", "cleaning up\n"):
            assert stuck.stdout.readline() == line
            stuck.send_signal(signal.SIGINT)
        assert stuck.wait(DEADLINE) == 130


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


def check_interrupted(running: "Popen[str]", words: list[str] = WORDS) -> None:
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=DEADLINE)
    said = [line for line in err.splitlines() if not line.startswith("{")]
    assert (running.returncode, out, said) == (130, "", words)


def wait_until_read(pipe: IO[bytes], pid: int) -> None:
    """Wait until a process has read all input and sleeps, waiting for more."""

    def is_read() -> bool:
        unread = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return not unread and state == "S"

    eventually(is_read)


def test_no_task_is_said_to_continue_when_all_have_ended() -> None:
    interruption = Interruption()
    interruption.tasks_continue(["t1"], flags="")
    interruption.tasks_continue([], flags="")
    assert (interruption.message, interruption.hint) == ("interrupted", "")
