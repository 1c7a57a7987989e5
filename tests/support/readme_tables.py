"""The tables of README.md, made from the code; `python tests/support/readme_tables.py` writes them."""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def commands() -> str:
    from tests.support import command_lines

    rows = []
    for path, command in command_lines.commands().items():
        if not hasattr(command, "commands"):
            arguments = "".join(
                f" {parameter.metavar}"
                for parameter in command.params
                if parameter.param_type_name == "argument"
            )
            needed = "".join(
                f" {parameter.opts[0]} {parameter.metavar}"
                for parameter in command.params
                if parameter.param_type_name == "option" and parameter.required
            )
            rows.append((f"`{' '.join(path)}{arguments}{needed}`", command.help.splitlines()[0]))
    return _table(("command", "does"), rows)


def settings() -> str:
    from facecli.config.amounts import format_default
    from facecli.config.settings import Settings, variable

    rows = []
    for setting in fields(Settings):
        choices = get_args(setting.type) if get_origin(setting.type) is Literal else ()
        sentence = setting.metadata["sentence"]
        if choices:
            sentence = f"{sentence.rstrip('.')}: {', '.join(choices)}."
        default = format_default(setting)
        rows.append(
            (f"`{setting.name}`", f"`{variable(setting.name)}`", f"`{default}`" if default else "", sentence)
        )
    return _table(("setting", "variable", "default", ""), rows)


def exit_codes() -> str:
    from facecli.cli.shared.exits import EXITS

    return _table(("code", "meaning"), [(str(row.code), row.meaning) for row in EXITS])


TABLES: dict[str, Callable[[], str]] = {"commands": commands, "settings": settings, "exit codes": exit_codes}


def with_tables(text: str) -> str:
    """The text with every table between its markers as the code has it now."""
    for name, table in TABLES.items():
        marked = re.compile(f"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marked.subn(lambda found, made=table(): f"{found[1]}{made}{found[2]}", text)  # type: ignore[misc]
        if count != 1:
            raise SystemExit(f"{README.name} has {count} tables called {name}, not one")
    return text


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
