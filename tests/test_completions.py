"""The completion scripts are those that typer generates now, and bash completes with them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETIONS = Path(__file__).parents[1] / "completions"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH that finds the `facecli` of this checkout first."""
    program = tmp_path / "bin" / "facecli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m facecli "$@"\n')
    program.chmod(0o755)
    return os.pathsep.join([str(program.parent), os.environ["PATH"]])


def bash_completions(path: str, *words: str) -> list[str]:
    """The completions that bash offers for the last word."""
    script = f"""
        source {COMPLETIONS / "facecli.bash"}
        complete -p facecli | grep -q -- '-F _facecli_completion facecli' || exit 1
        COMP_WORDS=(facecli "$@") COMP_CWORD=$#
        _facecli_completion facecli
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ta"], ["task"]),
        (["task", "re"], ["retry"]),
        (["task", "c"], ["create", "cancel"]),
        (["bench", ""], ["upload", "task"]),
        (["upload", "--retry"], ["--retry-for"]),
        (["upload", "--progress", ""], ["auto", "rich", "tqdm", "json", "none"]),
        (["task", "list", "--status", "c"], ["completed", "cancelled"]),
        (["upload", "--type", "v"], ["video"]),
        (["upload", "clip"], []),  # bash then completes file names by itself
    ],
    ids=lambda value: " ".join(value),
)
def test_bash_completes(words: list[str], offered: list[str], path: str) -> None:
    assert bash_completions(path, *words) == offered


def test_the_scripts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, COMPLETIONS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), "python completions/generate.py"


def test_an_outdated_script_is_reported(tmp_path: Path) -> None:
    shutil.copytree(COMPLETIONS, tmp_path / "completions")
    (tmp_path / "completions" / "_facecli").write_text("#compdef facecli\n")
    done = subprocess.run(
        [sys.executable, tmp_path / "completions" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "_facecli would change\n")


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_facecli_completes_for_the_other_shells(shell: str, path: str) -> None:
    request = {
        "_FACECLI_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "facecli task can",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "can",
    }
    done = subprocess.run(
        ["facecli"], env={**os.environ, "PATH": path, **request}, capture_output=True, text=True, check=True
    )
    assert "cancel" in done.stdout
    assert "retry" not in done.stdout


def test_the_options_that_install_completion_are_accepted_but_hidden() -> None:
    command = [sys.executable, "-m", "facecli"]
    help_text = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "completion" not in help_text.stdout
    accepted = subprocess.run([*command, "--install-completion", "--help"], capture_output=True, check=True)
    assert accepted.stderr == b""
