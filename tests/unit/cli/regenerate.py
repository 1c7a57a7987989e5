"""`python tests/unit/cli/regenerate.py` writes the help of every command to goldens/."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
GOLDENS = Path(__file__).parent / "goldens"
COLUMNS = "100"  # what tests/conftest.py sets as well


def help_text(command: tuple[str, ...]) -> str:
    """Output of `--help`; the command's path begins with facecli."""
    from tests.support.cli import facecli

    return facecli(*command[1:], "--help").out


def main() -> None:
    os.environ["COLUMNS"] = COLUMNS
    sys.path.insert(0, str(ROOT))
    from tests.support.command_lines import commands

    for path in GOLDENS.glob("*.txt"):
        path.unlink()
    GOLDENS.mkdir(exist_ok=True)
    for command in commands():
        (GOLDENS / f"{'-'.join(command)}.txt").write_text(help_text(command), encoding="utf-8")


if __name__ == "__main__":
    main()
