"""Parsing of times, sizes, counts and switches: valid values, and rejection of all others."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.config.amounts import parse_count, parse_size, parse_switch, parse_time
from facecli.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("0", 0), ("1.5h", 5400), ("10m", 600), (" 2s ", 2), ("7d", 604800)]
)
def test_times_are_parsed(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("10MiB", 10 << 20),
        ("500MB", 500_000_000),
        ("1.5 GiB", 3 << 29),
        ("1kb", 1000),
        ("7b", 7),
    ],
)
def test_sizes_are_parsed(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("parse", [parse_time, parse_size, parse_count, parse_switch])
@given(text=st.text(max_size=12))
def test_any_text_is_parsed_or_rejected(parse: Callable[[str], float], text: str) -> None:
    try:
        value = parse(text)
    except InvalidInput:
        return
    assert 0 <= value < float("inf")
