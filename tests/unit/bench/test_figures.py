"""Percentiles of delays."""

import pytest

from facecli.bench.figures import milliseconds
from facecli.core.errors import InvalidInput


def test_a_percentile_of_delays_is_in_milliseconds() -> None:
    assert milliseconds([0.1, 0.3, 0.2], 0.5) == 200.0


def test_a_run_without_delays_names_the_options_that_make_it_longer() -> None:
    with pytest.raises(InvalidInput, match="--watch-for or a larger --size"):
        milliseconds([], 0.5)
