"""`--help` of every command: it matches its golden, and its examples parse."""

import re
from pathlib import Path

import pytest
from typer.models import TyperPath

from facecli import __version__
from facecli.cli.shared.help import NonEmptyPath
from tests.support.cli import facecli
from tests.support.command_lines import check, commands
from tests.unit.cli.regenerate import GOLDENS, help_text

EVERY = list(commands())
GROUPS = {path for path, command in commands().items() if hasattr(command, "commands")}


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_matches_the_golden(command: tuple[str, ...]) -> None:
    golden = GOLDENS / f"{'-'.join(command)}.txt"
    assert help_text(command) == golden.read_text(encoding="utf-8"), "python tests/unit/cli/regenerate.py"


def test_every_golden_belongs_to_a_command() -> None:
    assert {path.stem for path in GOLDENS.glob("*.txt")} == {"-".join(command) for command in EVERY}


@pytest.mark.parametrize("command", [path for path in EVERY if path not in GROUPS], ids=" ".join)
def test_help_of_a_command_has_working_examples_and_exit_codes(
    command: tuple[str, ...],
) -> None:
    text = " ".join(help_text(command).split())
    examples = re.findall(r"Example: (facecli .*?)(?= Example:| Exit codes:)", text)
    assert examples
    assert "Exit codes: 0 " in text
    for example in examples:
        assert example.startswith(" ".join(command))
        check(example)


@pytest.mark.parametrize("arguments", [[], ["-h"], ["task", "-h"], ["task", "watch", "-h"]], ids=" ".join)
def test_help_goes_to_stdout(arguments: list[str]) -> None:
    ran = facecli(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: facecli")


def test_the_version_is_printed_alone() -> None:
    ran = facecli("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"facecli {__version__}\n", "")


def test_commands_share_their_json_and_connection_options() -> None:
    tls = {"--tls", "--tls-ca", "--tls-cert", "--tls-key"}
    connected = {"--server", "--profile", "--json", "--quiet", *tls}
    for path, command in commands().items():
        options = {option for parameter in command.params for option in parameter.opts}
        if path in GROUPS:
            continue
        assert "--json" in options, path
        if "--server" in options:
            assert connected <= options, path


def test_goldens_contain_no_local_paths() -> None:
    for path in GOLDENS.glob("*.txt"):
        assert str(Path.home()) not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        *("upload", "label show", "label verify", "backup", "restore", "cert dev"),
        *("preview -o sheet.jpg", "batch run", "swap --video clips -o out --face", "swap -o out.mp4"),
    ],
)
def test_an_empty_path_is_refused(line: str) -> None:
    words = line.split()
    several = ["", ""] if line in {"preview -o sheet.jpg", "swap -o out.mp4"} else [""]
    ran = facecli(*words, *several)
    assert (ran.code, ran.out) == (2, "")
    assert re.search(r"the path (for (FACE|JOBS|--face) )?is empty; name a file", ran.err)


def test_every_option_for_a_file_is_a_checked_path() -> None:
    for path, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter.type, TyperPath):
                assert type(parameter.type) is NonEmptyPath, (path, parameter.name)
