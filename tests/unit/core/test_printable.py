"""Escaping of untrusted text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.core.printable import escaped, escaped_lines, shortened


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Müller 文件",
        "10.32\u202fAM",
        "no\u00a0break\u3000space",
        "👩\u200d👧",
        "\u200f\u05d0\u200e\u061c",
    ],
)
def test_text_that_deceives_nobody_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2028\u2029\x85\x9b\x7f", "\\u2028\\u2029\\x85\\x9b\\x7f"),
        ("\ufeff\u2060\U000e0041", "\\ufeff\\u2060\\U000e0041"),
    ],
)
def test_control_bidi_and_invisible_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text())
def test_escaped_text_has_one_line_and_no_control_characters(text: str) -> None:
    categories = {unicodedata.category(c) for c in escaped(text) if c not in "\u200c\u200d\u200e\u200f\u061c"}
    assert not categories & {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    assert len(escaped(text).splitlines()) <= 1


def test_escaped_lines_keep_their_breaks() -> None:
    assert escaped_lines("a\x1b\nb") == "a\\x1b\nb"


@given(st.text(max_size=20), st.integers(1, 20))
def test_shortened_text_fits_and_shows_that_it_was_cut(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert short == text or (len(short) == limit and short.endswith("…"))
    assert (short == text) == (len(text) <= limit) or text.endswith("…")
