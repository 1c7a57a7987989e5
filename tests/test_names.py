"""The names of all tests are plain sentences of a bounded length, and no test sleeps."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MAX_LENGTH = 90  # characters
RIDDLES = ("what", "who", "whoever", "whom", "whose", "nobody", "whatever")

# Files that sleep by design: the polling helper, and a program of its own that polls a server.
MAY_SLEEP = {
    *("support/eventually.py", "support/web/load_watchers.py", "foreign/client.py"),
    *("support/scale/simulate.py", "support/scale/simulated_worker.py"),
}


def name_breaches(source: str) -> Iterator[str]:
    """Every test whose name is too long or opens with a pronoun, as `line: complaint`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            if len(node.name) > MAX_LENGTH:
                yield f"{node.lineno}: {node.name} is longer than {MAX_LENGTH} characters"
            if node.name.split("_")[1] in RIDDLES:
                yield f"{node.lineno}: {node.name} does not say what it tests"


def sleep_breaches(source: str) -> Iterator[str]:
    """Every call of `time.sleep`, as `line: complaint`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("time"), attr="sleep")):
                yield f"{node.lineno}: use tests/support/eventually.py instead of a sleep"
            case ast.ImportFrom(module="time", names=names) if any(alias.name == "sleep" for alias in names):
                yield f"{node.lineno}: use tests/support/eventually.py instead of a sleep"


def test_every_test_has_a_short_and_plain_name() -> None:
    assert [
        f"{path.relative_to(TESTS)}:{breach}"
        for path in sorted(TESTS.rglob("*.py"))
        for breach in name_breaches(path.read_text())
    ] == []


def test_no_test_sleeps() -> None:
    assert [
        f"{path.relative_to(TESTS)}:{breach}"
        for path in sorted(TESTS.rglob("*.py"))
        if str(path.relative_to(TESTS)) not in MAY_SLEEP
        for breach in sleep_breaches(path.read_text())
    ] == []


@pytest.mark.parametrize("name", [f"test_{'a' * MAX_LENGTH}", "test_what_is_kept", "test_nobody_else_hears"])
def test_a_planted_name_is_found(name: str) -> None:
    assert list(name_breaches(f"class TestIt:\n    def {name}(self) -> None: ..."))


@pytest.mark.parametrize("source", ["import time\ntime.sleep(1)", "from time import sleep"])
def test_a_planted_sleep_is_found(source: str) -> None:
    assert list(sleep_breaches(source))


def test_plain_names_and_fake_sleeps_pass() -> None:
    source = "def test_a_whole_chunk_is_stored(clock) -> None:\n    clock.sleep(1)"
    assert list(name_breaches(source)) == list(sleep_breaches(source)) == []
