"""Asking for help or the version is quick: what only a real command needs is not imported."""

import subprocess
import sys

import pytest

HEAVY = [
    "PIL",
    "alembic",
    "boto3",
    "cryptography",
    "dbos",
    "ffmpeg",
    "google.protobuf",
    "grpc",
    "psycopg",
    "pydantic",
    "sqlalchemy",
]


def imported(arguments: list[str]) -> set[str]:
    """Every module that `python -m facecli` with these arguments imports."""
    command = [sys.executable, "-X", "importtime", "-m", "facecli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    timed = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in timed}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(option: str) -> None:
    modules = imported([option])
    assert "facecli.cli.app" in modules
    assert [name for name in HEAVY if name in modules] == []
