"""A side of a bench is a process of its own, and ends with us."""

import os
import signal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from facecli.bench.processes import Side
from facecli.bench.usage import Usage, usage
from facecli.core.errors import FacecliError, LimitReached

MB = 1_000_000


def answers(pipe: "Pipe[Any, Any]", added: int) -> None:
    pipe.send(os.getpid())
    while True:
        pipe.send(pipe.recv() + added)


def is_refused(pipe: "Pipe[Any, Any]") -> None:
    raise LimitReached("the disk is full", retry_after=3)


def dies(pipe: "Pipe[Any, Any]") -> None:
    os._exit(7)


def puts_away(pipe: "Pipe[Any, Any]", file: Path) -> None:
    try:
        pipe.send("begun")
        pipe.recv()
    finally:
        file.write_text("put away")


def tells_its_usage(pipe: "Pipe[Any, Any]") -> None:
    pipe.send(usage())


def test_a_side_answers_and_does_not_hear_ctrl_c() -> None:
    with Side(answers, 1) as side:
        pid = side.hear(int)
        os.kill(pid, signal.SIGINT)
        side.tell(41)
        assert side.hear(int) == 42
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_ends_a_side_is_raised_here_as_it_was_there() -> None:
    with Side(is_refused) as side, pytest.raises(LimitReached, match="the disk is full") as raised:
        side.hear(str)
    assert raised.value.details == {"retry_after": 3}


def test_a_side_that_dies_is_said_to_have_died() -> None:
    with Side(dies) as side:
        with pytest.raises(FacecliError, match="a process of the bench died, exit code 7"):
            side.hear(str)
        side.tell("nobody")


def test_a_side_puts_away_what_it_has_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Side(puts_away, tmp_path / "file") as side:
        assert side.hear(str) == "begun"
        raise ZeroDivisionError
    assert (tmp_path / "file").read_text() == "put away"


def test_the_memory_of_a_side_is_its_own() -> None:
    ours = bytearray(200 * MB)
    ours[::4096] = b"x" * len(ours[::4096])
    with Side(tells_its_usage) as side:
        theirs = side.hear(Usage)
    assert usage().peak_memory > 200 * MB > theirs.peak_memory > MB
    assert 0 < theirs.cpu_seconds < 60
