"""Writes the completion scripts of every shell next to this file; `--check` fails if one would change."""

import argparse
import sys
from pathlib import Path

from typer.completion import get_completion_script  # type: ignore[attr-defined]

FOLDER = Path(__file__).parent

# File names that the shells expect.
FILES = {
    "facecli.bash": "bash",
    "_facecli": "zsh",
    "facecli.fish": "fish",
    "facecli.ps1": "powershell",
}


def scripts() -> dict[Path, str]:
    """Every file and its content."""
    return {
        FOLDER / name: get_completion_script(
            prog_name="facecli", complete_var="_FACECLI_COMPLETE", shell=shell
        )
        + "\n"
        for name, shell in FILES.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, fail when something would change"
    )
    check = parser.parse_args().check
    changed = [
        path
        for path, text in scripts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in changed:
        if not check:
            path.write_text(scripts()[path], encoding="utf-8")
        sys.stdout.write(f"{path.name} {'would change' if check else 'written'}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
