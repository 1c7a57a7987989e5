"""Start-up: the version imports no command, help no heavy library, and a command only its own module."""

import importlib.util
import os
import subprocess
import sys

import pytest

from facecli.cli.commands import COMMANDS
from tests.support.command_lines import commands

HEAVY = [
    "PIL",
    "alembic",
    "boto3",
    "cryptography",
    "dbos",
    "connectrpc",
    "fastapi",
    "ffmpeg",
    "google.protobuf",
    "grpc",
    "prometheus_client",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
    "tqdm",
    "trustme",
    "httptools",
    "opentelemetry",
    "uvicorn",
]
COMMAND_MODULES = {entry.module for entry in COMMANDS.values()}


# `-X importtime` does not list what `import_module` imports, so the process lists its modules when it ends.
LIST_MODULES = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\n".join(sys.modules)))
from facecli.__main__ import main
main()
"""


def imported(arguments: list[str], **environment: str) -> set[str]:
    """Every module that `facecli` with these arguments imports."""
    command = [sys.executable, "-c", LIST_MODULES, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stderr.split())


def test_the_version_loads_no_part_of_the_command_line() -> None:
    modules = imported(["--version"])
    assert "facecli" in modules
    assert {name for name in modules if name.startswith("facecli.")} == {"facecli.__main__"}
    assert modules.isdisjoint([*HEAVY, "typer", "dataclasses", "inspect", "re"])


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["--help", "none"])
def test_the_root_help_loads_no_command_and_nothing_heavy(arguments: list[str]) -> None:
    modules = imported(arguments)
    assert "facecli.cli.commands" in modules
    assert modules.isdisjoint([*HEAVY, *COMMAND_MODULES, "facecli.config.settings"])


@pytest.mark.parametrize("command", ["task", "upload", "serve", "fsck", "token"])
def test_the_help_of_a_command_loads_that_command_and_nothing_heavy(command: str) -> None:
    modules = imported([command, "--help"])
    assert COMMANDS[command].module in modules
    assert modules.isdisjoint(HEAVY)
    # `facecli task create` uploads local files first.
    assert modules & COMMAND_MODULES <= {COMMANDS[command].module, "facecli.cli.upload"}


def test_completing_the_name_of_a_command_loads_no_command() -> None:
    modules = imported([], _FACECLI_COMPLETE="complete_bash", COMP_WORDS="facecli ta", COMP_CWORD="1")
    assert "facecli.cli.commands" in modules
    assert modules.isdisjoint(COMMAND_MODULES)


def test_a_command_without_progress_loads_no_bars() -> None:
    modules = imported(["engines", "--json"])
    assert modules.isdisjoint(["rich", "tqdm"])


def test_the_table_of_commands_agrees_with_their_docstrings() -> None:
    documented = {
        path[1]: (command.help or "").splitlines()[0]
        for path, command in commands().items()
        if len(path) == 2
    }
    assert documented == {name: entry.help for name, entry in COMMANDS.items()}
    assert list(documented) == list(COMMANDS)


SERVE = """
import sys, tempfile
from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
with tempfile.TemporaryDirectory() as folder:
    with run_server(Settings(engine="mock", bind="127.0.0.1:0", data_dir=folder, workers=0)):
        pass
sys.stdout.write("\\n".join(sys.modules))
"""


def test_a_server_without_http_loads_none_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, check=True)
    modules = {*done.stdout.split()}
    assert "facecli.rpc.server" in modules
    for name in ("facecli.web", "connectrpc", "fastapi", "httptools", "uvicorn", "prometheus_client"):
        assert name not in modules
        assert importlib.util.find_spec(name)
