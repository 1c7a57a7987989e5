"""Language rules: retired words, and docstrings that begin with a question word.

Every rule yields findings as `file:line: text`.

Theory of operation: a retired name is compared with identifiers, never with prose: "Keeping the lock" is
fine, `class Keeping` is not. Compound names are found in comments and outside Python as well. A retired
phrase is found everywhere: in comments, docstrings, messages, help texts, proto comments and the README.
Phrases match whole words, ignore case, and may be broken across lines, comment signs and strings.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.support.retired_words import CLASSES, IDENTIFIERS, PHRASES, QUESTION_WORDS

FOLDERS = ("facecli", "tests", "proto", "completions", ".github", ".ci")
FILES = ("README.md", "pyproject.toml")
SUFFIXES = {".py", ".txt", ".proto", ""}
# Generated code, the app's proto file, licences of others, and the files that list or plant such words.
SKIPPED = {"generated", "__pycache__", "node_modules", "frozen", "NOTICE"}
SKIPPED |= {"retired_words.py", "test_language.py", "test_names.py"}

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

Finding = tuple[int, str]  # line, text

_NAME_ADVICE = {
    name: advice
    for group in (CLASSES, IDENTIFIERS)
    for advice, names in group.items()
    for name in names.split()
}
_NAME = re.compile(r"(?<![^\W_])(?:{})\b".format("|".join(_NAME_ADVICE)))
_PHRASE_ADVICE = {phrase: advice for advice, phrases in PHRASES.items() for phrase in phrases}
_BREAK = r"""(?:[\s#/"]|\bf")+"""  # between two words of a phrase
_PHRASE = re.compile(
    r"\b(?:{})\b".format(
        "|".join(
            _BREAK.join(map(re.escape, phrase.split()))
            for phrase in sorted(_PHRASE_ADVICE, key=len, reverse=True)
        )
    ),
    re.IGNORECASE,
)


def findings(root: Path) -> list[str]:
    """Every breach of a rule in the checkout at `root`."""
    return sorted(
        f"{path.relative_to(root)}:{line}: {text}"
        for path in _files(root)
        for line, text in _of_file(path.relative_to(root), path.read_text(encoding="utf-8"))
    )


def retired_phrases(text: str) -> Iterator[Finding]:
    for match in _PHRASE.finditer(text):
        phrase = " ".join(re.split(_BREAK, match[0].lower()))
        line = text.count("\n", 0, match.start()) + 1
        yield line, f"'{phrase}' is retired; use {_PHRASE_ADVICE[phrase]}"


def retired_names(text: str, *, python: bool) -> Iterator[Finding]:
    words = [
        (number, word)
        for number, line in enumerate(text.split("\n"), 1)
        for word in re.findall(r"[A-Za-z_]+", line)
        if re.search(r"[a-z][A-Z]|[A-Za-z]_[A-Za-z]", word)
    ]
    if python and _NAME.search(text):  # reading tokens is what costs the most
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        words += [(token.start[0], token.string) for token in tokens if token.type == tokenize.NAME]
    for line, word in words:
        if advice := _NAME_ADVICE.get(word.lstrip("_")):
            yield line, f"{word} is retired; use {advice}"


def question_docstrings(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and (docstring := (ast.get_docstring(node) or "").strip()):
            sentence = docstring.splitlines()[0]
            if sentence.split()[0].strip("'\"`*_.,:;?").lower() in QUESTION_WORDS:
                yield node.body[0].lineno, f"docstring begins with a question word: {sentence}"


def _of_file(file: Path, text: str) -> set[Finding]:
    python = file.suffix == ".py"
    found = {*retired_phrases(text), *retired_names(text, python=python)}
    if python:
        found |= {*question_docstrings(ast.parse(text, str(file)))}
    return found


def _files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FILES if (root / name).exists())
    for path in (path for folder in FOLDERS for path in (root / folder).rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and not SKIPPED & {*path.relative_to(root).parts}:
            yield path
