"""The terms that users state."""

import hashlib
import os
from pathlib import Path

import pytest

from facecli.client.terms import stated_terms
from facecli.core.errors import InvalidInput
from facecli.tasks.provenance.terms import NO_TERMS, Consent


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_consent_is_a_file_or_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("consent.pdf").write_bytes(b"%PDF")
    as_file = Consent(sha256=digest(b"%PDF"), kind="file", name="consent.pdf")
    assert stated_terms("", "consent.pdf").consent == as_file
    assert stated_terms("", tmp_path / "consent.pdf").consent == as_file
    for text in ("I agree. Grace, 2026-11-24", "我同意", "yes", "I agree. " * 1000):
        assert stated_terms("", text).consent == Consent(sha256=digest(text.encode()), kind="text")
    assert stated_terms(None, None) == stated_terms("", "") == NO_TERMS
    assert stated_terms("our test", None).waiver == "our test"


@pytest.mark.parametrize("missing", ["conesnt.pdf", "papers/consent", "./consent", "consent.docx "])
def test_a_mistyped_file_name_is_not_taken_for_a_text(missing: str) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        stated_terms("", missing)


def test_a_path_is_never_a_text(tmp_path: Path) -> None:
    for unreadable in (Path("I agree"), tmp_path, Path("a\0b")):
        with pytest.raises(InvalidInput, match="consent"):
            stated_terms("", unreadable)
    with pytest.raises(InvalidInput, match="directory"):
        stated_terms("", os.fspath(tmp_path))


@pytest.mark.parametrize("text", ["  ", "yes " * 20_000])
def test_a_text_has_words_and_an_end(text: str) -> None:
    with pytest.raises(InvalidInput, match="a consent is a file, or a text"):
        stated_terms("", text)
