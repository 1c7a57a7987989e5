"""Shutdown of a process by signals, in any thread, and by the end of its parent."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.worker.process import INTERRUPTED

PROCESS = """
import sys
import threading
from facecli.worker.process import ShutdownSignal

ending = ShutdownSignal(with_stdin=True)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print("works", flush=True)
ending.wait()
print("ended", flush=True)
if len(sys.argv) > 1:
    ending.exit_on_next()
    print("draining", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", PROCESS, *getattr(request, "param", [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "works\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_any_thread_ends_the_process(
    process: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    threads = sorted(int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir())
    assert threads.pop(0) == process.pid
    assert ctypes.CDLL(None).tgkill(process.pid, threads[0], number) == 0
    assert process.communicate(timeout=60)[0] == "ended\n"
    assert process.returncode == 0


def test_a_signal_ends_the_process(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    assert process.communicate(timeout=60)[0] == "ended\n"


def test_the_end_of_the_parent_ends_the_process(process: "subprocess.Popen[str]") -> None:
    assert process.communicate(timeout=60)[0] == "ended\n"


@pytest.mark.parametrize("process", [["draining"]], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(
    process: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    assert process.stdout
    process.terminate()
    assert [process.stdout.readline(), process.stdout.readline()] == ["ended\n", "draining\n"]
    process.send_signal(number)
    assert process.wait(60) == INTERRUPTED
