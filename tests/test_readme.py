"""What README.md says of the command line is what the command line does."""

import re

import pytest
from typer.exceptions import TyperException

from facecli.bootstrap import server as run_server
from facecli.bootstrap import worker as working
from tests.support.command_lines import check, commands
from tests.support.readme_tables import README, TABLES, with_tables

TEXT = README.read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.replace("\\\n", " ").splitlines()
    if "facecli " in line
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_the_code_says(name: str) -> None:
    assert TABLES[name]() in TEXT, "python tests/support/readme_tables.py"


def test_nothing_else_stands_between_the_markers() -> None:
    assert with_tables(TEXT) == TEXT, "python tests/support/readme_tables.py"


def test_every_command_line_in_a_block_exists() -> None:
    assert sum(check(line) for line in LINES) > 5


def test_it_says_how_many_connections_to_postgresql_there_may_be() -> None:
    there_may_be = f"{run_server.CONNECTIONS} connections for a server and {working.CONNECTIONS} for a worker"
    assert there_may_be in TEXT


@pytest.mark.parametrize(
    "line",
    [
        "facecli uplaod a.mp4",
        "facecli upload a.mp4 --fast",
        "facecli swap a.png b.mp4",
        "x=$(facecli task creat --image a)",
        "facecli task watch 1 && facecli task fetch 1",
        "facecli upload a.mp4 --progress loud",
    ],
)
def test_a_command_line_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(TyperException):
        check(line)


def test_every_command_and_option_named_in_a_sentence_exists() -> None:
    known = commands()
    for path, rest in re.findall(r"`(facecli(?: [a-z]+)*)([^`]*)`", TEXT):
        words = tuple(path.split())
        while words not in known:
            words = words[:-1]
        assert len(words) > 1 or path == "facecli", path
        options = {option for parameter in known[words].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z-]+", rest)) <= options, path + rest
