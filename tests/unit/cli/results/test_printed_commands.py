"""Commands that the program prints run as printed, from a clone whose environment is not activated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import DEADLINE


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A directory with the program in `.venv/bin`."""
    program = tmp_path / ".venv" / "bin" / "facecli"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nfrom facecli.__main__ import main\nmain()\n")
    program.chmod(0o755)
    return tmp_path


def error_of(clone: Path, *command: str, path: str) -> str:
    done = subprocess.run(
        [".venv/bin/facecli", *command],
        cwd=clone,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.stderr


def test_a_hint_names_the_program_as_the_shell_finds_it(clone: Path) -> None:
    command = ("upload", "/uploads", "--retry-for", "0")
    off_path = error_of(clone, "upload", "--jsn", path="/usr/bin:/bin")
    assert "hint: see .venv/bin/facecli upload --help" in off_path
    assert off_path.startswith("facecli: ")
    on_path = error_of(clone, "upload", "--jsn", path=f"{clone}/.venv/bin:/usr/bin:/bin")
    assert "hint: see facecli upload --help" in on_path
    assert error_of(clone, *command, path="/usr/bin:/bin").startswith("facecli: ")


def test_no_printed_command_installs_a_name_that_is_not_ours() -> None:
    root = Path(__file__).parents[4]
    texts = {path: path.read_text() for path in [*(root / "facecli").rglob("*.py"), root / "README.md"]}
    assert [path for path, text in texts.items() if "pip install 'facecli" in text] == []
