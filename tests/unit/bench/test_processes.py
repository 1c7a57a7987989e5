"""The processes of a bench: errors, signals, cleanup and usage."""

import os
import signal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from facecli.bench.processes import BenchProcess
from facecli.bench.usage import Usage, usage
from facecli.core.errors import FacecliError, LimitReached

MB = 1_000_000


def answer(pipe: "Pipe[Any, Any]", added: int) -> None:
    pipe.send(os.getpid())
    while True:
        pipe.send(pipe.recv() + added)


def fail(pipe: "Pipe[Any, Any]") -> None:
    raise LimitReached("the disk is full", retry_after=3)


def die(pipe: "Pipe[Any, Any]") -> None:
    os._exit(7)


def clean_up(pipe: "Pipe[Any, Any]", file: Path) -> None:
    try:
        pipe.send("started")
        pipe.recv()
    finally:
        file.write_text("cleaned up")


def send_usage(pipe: "Pipe[Any, Any]") -> None:
    pipe.send(usage())


def test_a_process_answers_and_ignores_ctrl_c() -> None:
    with BenchProcess(answer, 1) as process:
        pid = process.receive(int)
        os.kill(pid, signal.SIGINT)
        process.send(41)
        assert process.receive(int) == 42
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_error_in_a_process_is_raised_in_the_parent() -> None:
    with BenchProcess(fail) as process, pytest.raises(LimitReached, match="the disk is full") as raised:
        process.receive(str)
    assert raised.value.details == {"retry_after": 3}


def test_a_dead_process_is_reported_with_its_exit_code() -> None:
    with BenchProcess(die) as process:
        with pytest.raises(FacecliError, match="a bench process died with exit code 7"):
            process.receive(str)
        process.send("ignored")


def test_a_process_cleans_up_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), BenchProcess(clean_up, tmp_path / "file") as process:
        assert process.receive(str) == "started"
        raise ZeroDivisionError
    assert (tmp_path / "file").read_text() == "cleaned up"


def test_the_memory_of_a_process_is_its_own() -> None:
    ours = bytearray(200 * MB)
    ours[::4096] = b"x" * len(ours[::4096])
    with BenchProcess(send_usage) as process:
        theirs = process.receive(Usage)
    assert usage().peak_memory > 200 * MB > theirs.peak_memory > MB
    assert 0 < theirs.cpu_seconds < 60
