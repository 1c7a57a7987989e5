"""Findings of an acceptance run, and the environment of its processes."""

import os
import sys
import tempfile
from pathlib import Path

Finding = tuple[str, str, bool]  # what is claimed, what was found, whether it holds


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def text_of(finding: Finding) -> str:
    what, found, holds = finding
    return f"{what:60} {found:48} {'holds' if holds else 'DOES NOT HOLD'}"


def prepare_environment() -> None:
    """Hide the settings of this machine."""
    for name in [name for name in os.environ if name.startswith("FACECLI_")]:
        del os.environ[name]
    home = tempfile.mkdtemp(prefix="facecli-home-")
    os.environ |= {"HOME": home, "XDG_CONFIG_HOME": home, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"}
    os.environ |= {"PYTHONPATH": str(Path(__file__).parents[3]), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
