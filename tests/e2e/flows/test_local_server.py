"""The server that runs while a command needs it: shared, started again when killed, and gone afterwards."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.e2e.fork_server import ForkedProcess, start_command
from tests.support.e2e.proc import processes_of
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.media, pytest.mark.slow]

Process = ForkedProcess | subprocess.Popen[str]


class Machine:
    """A home directory without a server, and commands in it."""

    def __init__(self, home: Path, face: Path, clip: Path) -> None:
        self.home = home
        self._inputs = [str(face), str(clip)]

    def swap(self, *options: str) -> Process:
        words = ["swap", *self._inputs, "--server", "local", "--engine", "mock", *options]
        return start_command(words, environment={**os.environ, "XDG_DATA_HOME": str(self.home)})

    def servers(self) -> list[int]:
        return [pid for pid, words in self.left().items() if "facecli.local.process" in words]

    def left(self) -> dict[int, list[str]]:
        """The server, its workers and their programs, as far as they run."""
        return processes_of(self.home / "facecli-local") | processes_of(self.home / "facecli-local" / "data")


@pytest.fixture
def machine(tmp_path: Path, face: Path, clip: Path) -> Machine:
    return Machine(tmp_path / "home", face, clip)


def wait_for(process: Process, text: str) -> None:
    """Wait until the command has written a line with this text to stderr."""
    assert process.stderr
    lines = list[str]()
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return
    raise AssertionError("".join(lines))


def ended(process: Process) -> tuple[int, str]:
    """The exit code, and the rest of stderr."""
    assert process.stdout and process.stderr
    with process.stdout, process.stderr:
        rest = process.stderr.read()
    return process.wait(), rest


def test_commands_share_a_server_and_outlive_its_kill(machine: Machine, tmp_path: Path) -> None:
    slow = ("--option", "delay=2")
    first = machine.swap("-o", str(tmp_path / "1.mp4"), *slow)
    second = machine.swap("-o", str(tmp_path / "2.mp4"), "--option", "seed=2")
    wait_for(first, "processing")
    (server,) = machine.servers()
    os.kill(server, signal.SIGKILL)
    for process in (first, second):
        code, err = ended(process)
        assert code == 0, err
    assert (tmp_path / "1.mp4").stat().st_size and (tmp_path / "2.mp4").stat().st_size
    assert machine.left() == {}


def test_the_server_ends_with_its_command_however_that_ends(machine: Machine, tmp_path: Path) -> None:
    words = ("-o", str(tmp_path / "out.mp4"), "--option", "delay=30")
    interrupted = machine.swap(*words)
    wait_for(interrupted, "processing")
    interrupted.send_signal(signal.SIGINT)
    code, err = ended(interrupted)
    assert (code, "run the same command again to resume" in err) == (130, True), err
    assert machine.left() == {}
    killed = machine.swap(*words)
    wait_for(killed, "processing")
    killed.kill()
    ended(killed)
    eventually(lambda: not machine.left())
