"""Completion scripts: they match what typer generates, and bash completes with its script."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "completions"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH that starts with the `facecli` of this checkout."""
    program = tmp_path / "bin" / "facecli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m facecli "$@"\n')
    program.chmod(0o755)
    return os.pathsep.join([str(program.parent), os.environ["PATH"]])


def completed(path: str, *words: str) -> list[str]:
    """The completions that bash offers for the last word."""
    script = f"""
        source {FOLDER / "facecli.bash"}
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
        (["upload", "clip"], []),  # bash completes file names by itself then
    ],
    ids=lambda value: " ".join(value),
)
def test_bash_completes(words: list[str], offered: list[str], path: str) -> None:
    assert completed(path, *words) == offered


def test_the_scripts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), "python completions/generate.py"


def test_a_changed_script_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "completions")
    (tmp_path / "completions" / "_facecli").write_text("#compdef facecli\n")
    done = subprocess.run(
        [sys.executable, tmp_path / "completions" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "_facecli would change\n")


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_other_shells_complete(shell: str, path: str) -> None:
    asked = {
        "_FACECLI_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "facecli task can",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "can",
    }
    done = subprocess.run(
        ["facecli"], env={**os.environ, "PATH": path, **asked}, capture_output=True, text=True, check=True
    )
    assert "cancel" in done.stdout
    assert "retry" not in done.stdout
