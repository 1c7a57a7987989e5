"""README.md against the code: its tables, commands, paths and numbers."""

import re

import pytest
from typer.exceptions import TyperException

from facecli.bootstrap import server, worker
from tests.support.command_lines import check, commands
from tests.support.readme_tables import README, ROOT, TABLES, UPDATE, with_tables

TEXT = README.read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.replace("\\\n", " ").splitlines()
    if "facecli " in line
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_matches_the_code(name: str) -> None:
    assert TABLES[name]() in TEXT, UPDATE


def test_markers_enclose_only_generated_tables() -> None:
    assert with_tables(TEXT) == TEXT, UPDATE


def test_every_command_line_in_a_block_exists() -> None:
    assert sum(check(line) for line in LINES) > 5


def test_the_number_of_postgresql_connections_matches_the_code() -> None:
    sentence = f"{server.CONNECTIONS} connections for a server and {worker.CONNECTIONS} for a worker"
    assert sentence in " ".join(TEXT.split())


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
def test_an_unknown_command_line_is_reported(line: str) -> None:
    with pytest.raises(TyperException):
        check(line)


def test_every_command_and_option_named_in_a_sentence_exists() -> None:
    known = commands()
    for path, rest in re.findall(r"`(facecli(?: [a-z]+(?:-[a-z]+)*)*)([^`]*)`", TEXT):
        words = tuple(path.split())
        while words not in known:
            words = words[:-1]
        assert len(words) > 1 or path == "facecli", path
        options = {option for parameter in known[words].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z-]+", rest)) <= options, path + rest


def missing_paths(text: str) -> list[str]:
    """Paths in backticks that do not exist in the checkout."""
    paths = {
        word.rstrip(",;")
        for code in re.findall(r"`([^`\n]+)`", text)
        for word in code.split()
        if re.match(r"(?:facecli|tests|proto|completions|\.github)/", word)
    }
    return sorted(path for path in paths if not (ROOT / path).exists())


def test_every_path_exists() -> None:
    assert missing_paths(TEXT) == []


def test_a_missing_path_is_reported() -> None:
    text = "see `facecli/core/errors.py`, run `pytest -s tests/unit/cli tests/unit/lost.py`"
    assert missing_paths(text) == ["tests/unit/lost.py"]


def test_the_python_blocks_import_only_the_public_modules() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    modules = set(re.findall(r"^(?:from|import) (facecli[\w.]*)", "".join(blocks), re.MULTILINE))
    assert modules == {"facecli", "facecli.plugins", "facecli.testing"}


def test_the_program_of_a_newcomer_is_the_one_that_mypy_checks() -> None:
    program = (ROOT / "tests" / "e2e" / "library" / "program.py").read_text(encoding="utf-8")
    assert f"```python\n{program}```\n" in TEXT


def test_the_map_of_the_code_names_every_folder() -> None:
    code_map = TEXT.partition("## Map of the code")[2]
    folders = {path.name for path in (ROOT / "facecli").iterdir() if (path / "__init__.py").exists()}
    assert [folder for folder in sorted(folders) if f" {folder}/ " not in code_map] == []


def test_every_link_to_a_section_has_its_heading() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
