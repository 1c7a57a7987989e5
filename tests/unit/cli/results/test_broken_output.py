"""Results that cannot be written: one sentence, or silence when the reader has gone; never a stack."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.cli.shared import exits
from tests.support.cli import DEADLINE, Ran, facecli, started, words
from tests.unit.cli.conftest import Samples, slow_tasks

pytestmark = pytest.mark.usefixtures("user")

COMMANDS = [
    "--help",
    "--version",
    "swap --help",
    "task list",
    "task list --json",
    "engines",
    "doctor -q --json",
]


@pytest.fixture
def tasks(samples: Samples, user: str) -> Iterator[list[str]]:
    """Three tasks that do not end by themselves."""
    ids = slow_tasks(samples, 3)
    yield ids
    facecli("task", "cancel", *ids)


def ran_with(redirection: str, *arguments: str) -> Ran:
    """Run a command behind a shell's redirection of stdout."""
    done = subprocess.run(
        ["bash", "-c", f'exec "$@" {redirection}', "", *words(*arguments)],
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return Ran(code=done.returncode, out="", err=done.stderr)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("redirection", "reason"),
    [
        (">/dev/full", "No space left on device"),
        (">&-", "it is closed"),
        ("1</dev/null", "Bad file descriptor"),
    ],
)
def test_a_result_that_cannot_be_written_is_one_sentence(
    command: str, redirection: str, reason: str, tasks: list[str]
) -> None:
    ran = ran_with(redirection, *command.split())
    (sentence,) = ran.err.splitlines()
    assert (ran.code, f"cannot write to standard output: {reason}" in sentence) == (exits.BUG, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_ends_the_command_silently(command: str, tasks: list[str]) -> None:
    reader, unread = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            words(*command.split()), stdout=unread, stderr=subprocess.PIPE, timeout=DEADLINE, check=False
        )
    finally:
        os.close(unread)
    assert (done.returncode, done.stderr) == (exits.READER_GONE, b"")


def test_a_reader_of_many_watches_may_leave_after_the_first_line(tasks: list[str]) -> None:
    with started("task", "watch", "--json", *tasks, "--progress", "none") as watch:
        assert watch.stdout
        assert watch.stderr
        assert watch.stdout.readline().startswith("{")
        watch.stdout.close()
        facecli("task", "cancel", *tasks)
        assert watch.wait(DEADLINE) == exits.READER_GONE
        assert watch.stderr.read() == ""


def test_a_full_disk_behind_dash_o_is_one_sentence(samples: Samples, tmp_path: Path) -> None:
    assert facecli("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4").code == 0
    ran = ran_with(
        ">/dev/full", "swap", str(samples.face), str(samples.clip), "-o", "-", "--progress", "none"
    )
    assert (ran.code, ran.err.splitlines()[-1]) == (
        exits.BUG,
        "facecli: cannot write -: No space left on device",
    )
