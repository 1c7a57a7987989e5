"""The program's name in printed commands, which run as printed even if it is not on PATH."""

import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

from facecli.cli.commands import COMMANDS

NAME = "facecli"

_COMMAND = re.compile(rf"\b{NAME}(?= (?:{'|'.join(COMMANDS)})\b)")


def runnable(text: str) -> str:
    """The text, its commands of this program under the name that the user's shell finds."""
    name = _name()
    return text if name == NAME else _COMMAND.sub(lambda match: name, text)


@cache
def _name() -> str:
    path = Path(sys.argv[0])
    if path.name != NAME or shutil.which(NAME):
        return NAME
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)
