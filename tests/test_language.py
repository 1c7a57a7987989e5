"""The language rules hold in code, tests, help texts, proto comments and README.md; every rule can fail."""

from pathlib import Path

import pytest

from tests.support.language import findings
from tests.support.retired_words import CLASSES, IDENTIFIERS, PHRASES

ROOT = Path(__file__).parents[1]

BREACHES = [
    # file, text, line, part of the finding
    ("facecli/core/a.py", "\nclass Inbox:\n    pass\n", 2, "Inbox is retired; use UploadService"),
    ("facecli/core/b.py", "x: 'int'\ny = Silence(expiry=1)\n", 2, "Silence is retired; use IdleTracker"),
    ("facecli/core/c.py", "from a import (\n    b,\n    RunWatch,\n)\n", 3, "RunWatch is retired"),
    ("facecli/core/d.py", "# see KeptWork\n", 1, "KeptWork is retired"),
    ("facecli/core/e.py", "self._told = 1\n", 1, "_told is retired"),
    ("facecli/core/f.py", 'x = 1\nlog("the walls stand")\n', 2, "'walls' is retired; use sandbox"),
    ("facecli/core/g.py", "# a caller who is not let\n# in\n", 1, "'let in' is retired"),
    ("facecli/core/h.py", 'say(\n    "nobody "\n    f"needs {x}"\n)\n', 2, "'nobody needs' is retired"),
    ("facecli/core/i.py", '"""Whom it serves."""\n', 1, "'whom' is retired"),
    ("facecli/core/j.py", '"""What it does."""\n', 1, "question word: What it does."),
    ("facecli/core/k.py", 'class A:\n    """\n    Who it is."""\n', 2, "question word: Who it is."),
    ("facecli/core/l.py", 'async def f():\n    """`How` it goes."""\n', 2, "question word: `How` it goes."),
    ("proto/generate.py", 'def f():\n    """Where."""\n', 2, "question word: Where."),
    ("tests/unit/cli/goldens/a.txt", "Exit codes:\n  4 not let\n  in\n", 2, "'let in' is retired"),
    ("proto/a.proto", "// Sends a beat.\n", 1, "'a beat' is retired; use heartbeat"),
    ("README.md", "# facecli\n\nstderr is talk.\n", 3, "'is talk' is retired; use diagnostics"),
    (".ci/run", "# whoever\n", 1, "'whoever' is retired"),
]

ALLOWED = [
    (
        "facecli/core/m.py",
        '"""Keeping the lock makes the house silent; outlets in place, heartbeats, a beach."""\n',
    ),
    ("facecli/core/n.py", "look = story = place = 1\n# Look: fate, credit and patience.\n"),
    ("facecli/core/o.py", 'class A:\n    """Whole files. What follows is free."""\n'),
    ("facecli/wire/generated/a.py", '"""What is generated."""\n'),
    ("tests/frozen/a.proto", "// Whom it serves.\n"),
]


def test_no_retired_word_and_no_docstring_with_a_question_word() -> None:
    found = findings(ROOT)
    assert not found, "\n".join(["", *found])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("checkout")
    for file, text in [*[breach[:2] for breach in BREACHES], *ALLOWED]:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return findings(root)


@pytest.mark.parametrize(("file", "text", "line", "finding"), BREACHES)
def test_a_planted_breach_is_found_at_its_line(
    planted: list[str], file: str, text: str, line: int, finding: str
) -> None:
    assert [one for one in planted if one.startswith(f"{file}:{line}: ") and finding in one]


@pytest.mark.parametrize(("file", "text"), ALLOWED)
def test_an_ordinary_use_of_a_word_is_no_breach(planted: list[str], file: str, text: str) -> None:
    assert not [one for one in planted if one.startswith(f"{file}:")]


def test_every_retired_name_is_found(tmp_path: Path) -> None:
    names = [name for group in (CLASSES, IDENTIFIERS) for name in " ".join(group.values()).split()]
    (tmp_path / "facecli").mkdir()
    (tmp_path / "facecli" / "a.py").write_text("".join(f"{name} = 1\n" for name in names))
    found = findings(tmp_path)
    for line, name in enumerate(names, 1):
        assert any(one.startswith(f"facecli/a.py:{line}: {name} is retired; use ") for one in found), name


def test_every_retired_phrase_is_found(tmp_path: Path) -> None:
    phrases = [phrase for phrases in PHRASES.values() for phrase in phrases]
    (tmp_path / "README.md").write_text("".join(f"So {phrase}.\n" for phrase in phrases))
    found = findings(tmp_path)
    for line, phrase in enumerate(phrases, 1):
        assert any(one.startswith(f"README.md:{line}: ") for one in found), phrase
