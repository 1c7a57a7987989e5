"""Results that cannot be written: one sentence, or silence when the reader has gone; never a stack."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from facecli.cli.shared import exits
from tests.support.cli import DEADLINE, Ran, Server, facecli, started, words
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
REASONS = {
    ">/dev/full": "No space left on device",
    ">&-": "it is closed",
    "1</dev/null": "Bad file descriptor",
}
# Every command once, every way to print with every redirection; MATRIX=all runs every combination.
PRINTED = ("--help", "task list --json", "doctor -q --json")
CASES = [
    (redirection, command)
    for redirection in REASONS
    for command in COMMANDS
    if redirection == ">/dev/full" or command in PRINTED or os.environ.get("MATRIX") == "all"
]


@pytest.fixture
def tasks(samples: Samples, user: str) -> Iterator[list[str]]:
    """Three tasks that do not end by themselves."""
    ids = slow_tasks(samples, 3)
    yield ids
    facecli("task", "cancel", *ids)


@pytest.fixture(scope="module")
def owner(server: Server, samples: Samples) -> str:
    """A user with three cancelled tasks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECLI_SERVER", server.address)
        patch.setenv("FACECLI_USER", "owner of cancelled tasks")
        ids = slow_tasks(samples, 3)
        facecli("task", "cancel", *ids)
    return "owner of cancelled tasks"


@pytest.fixture
def listed(user: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands act as the user with three tasks."""
    monkeypatch.setenv("FACECLI_USER", owner)


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


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("redirection", "command"), CASES)
def test_a_result_that_cannot_be_written_is_one_sentence(redirection: str, command: str) -> None:
    reason = REASONS[redirection]
    ran = ran_with(redirection, *command.split())
    (sentence,) = ran.err.splitlines()
    assert (ran.code, f"cannot write to standard output: {reason}" in sentence) == (exits.BUG, True)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_ends_the_command_silently(command: str) -> None:
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


@pytest.mark.parametrize("command", ["swap", "task download", "file download"])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_a_file_that_cannot_be_written_to_standard_output_is_one_sentence(
    samples: Samples, completed: str, redirection: str, command: str
) -> None:
    video = facecli("task", "status", completed, "--json").object["video_url"]
    sources = {"swap": [str(samples.face), str(samples.clip)], "task download": [completed]}
    source = sources.get(command, [video])
    ran = ran_with(redirection, *command.split(), *source, "-o", "-", "--progress", "none")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        exits.BUG,
        f"facecli: cannot write to standard output: {REASONS[redirection]}",
    )
