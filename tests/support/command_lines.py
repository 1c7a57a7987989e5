"""The tree of commands, and a check that a documented command line is valid."""

import shlex
from contextlib import suppress
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import Exit, TyperException

from facecli.cli.app import root

_ENDS = "();<>|&"  # what ends one command of a shell's line


def commands() -> dict[tuple[str, ...], Any]:
    """Every command by its path, which begins with `facecli`; groups come before their commands."""
    return _below(("facecli",), root())


def check(line: str) -> bool:
    """Parse every `facecli` command of a shell line without running it; False if there is none.

    TyperException for an invalid command.
    """
    calls = _facecli_calls(line)
    for words in calls:
        _parse(words)
    return bool(calls)


def _below(path: tuple[str, ...], command: Any) -> dict[tuple[str, ...], Any]:
    found = {path: command}
    for name, inner in command.commands.items() if isinstance(command, TyperGroup) else ():
        found |= _below((*path, name), inner)
    return found


def _facecli_calls(line: str) -> list[list[str]]:
    """The arguments of every `facecli` at a command position of the line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_ENDS)
    lexer.whitespace_split = True
    calls: list[list[str]] = []
    words: list[str] | None = []  # of the command so far; None when it is another program's
    for word in [*lexer, ";"]:
        if set(word) <= set(_ENDS):
            words = []
        elif words is None:
            continue
        elif words:
            words.append(word)
        elif word == "facecli" or word.endswith("/facecli"):
            words = [word]
            calls.append(words)
        elif word != "$" and "=" not in word:
            words = None
    return [call[1:] for call in calls]


def _parse(words: list[str]) -> None:
    known = commands()
    path: tuple[str, ...] = ("facecli",)
    while words and (*path, words[0]) in known:
        path = (*path, words.pop(0))
    command = known[path]
    if isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        raise TyperException(f"{' '.join(path)} has no command {words[0]}")
    with suppress(Exit):  # --help, --version
        command.make_context(" ".join(path), words)
