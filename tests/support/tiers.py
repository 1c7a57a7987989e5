"""Pytest plug-in that marks tests by tier.

A folder or a fixture of one nature marks its tests here; `slow` is set by hand, on tests that take more than
about a second. A test in no tier is `fast`: `pytest -q -n 2 -m fast` is the loop to run while editing.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.e2e.requirements import REQUIREMENTS, skip_or_fail

TIERS = ("slow", "media", "postgres", "e2e", "root")
TIER_OF_FOLDER = {"e2e": "e2e", "hostile": "media", "unit/media": "media"}
TIER_OF_FIXTURE = {"postgres": "postgres", "media": "media", "ffmpeg": "media", "samples": "media"}
TIER_OF_PARAMETER = {"postgresql": "postgres"}  # of a fixture that runs a test on several databases

_TESTS = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)  # before `-m` deselects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for tier in _tiers(item):
            item.add_marker(tier)
        if not any(item.get_closest_marker(tier) for tier in TIERS):
            item.add_marker("fast")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose machine lacks a requirement of its `needs` markers."""
    for mark in item.iter_markers("needs"):
        requirement = REQUIREMENTS[mark.args[0]]
        if not requirement.available():
            skip_or_fail(requirement.remedy)


def _tiers(item: pytest.Item) -> Iterator[str]:
    path = item.path.relative_to(_TESTS)
    yield from (tier for folder, tier in TIER_OF_FOLDER.items() if path.is_relative_to(folder))
    yield from (
        TIER_OF_FIXTURE[name] for name in getattr(item, "fixturenames", ()) if name in TIER_OF_FIXTURE
    )
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        values = filter(lambda value: isinstance(value, str), item.callspec.params.values())
        yield from (TIER_OF_PARAMETER[value] for value in values if value in TIER_OF_PARAMETER)
    if any(REQUIREMENTS[mark.args[0]].root for mark in item.iter_markers("needs")):
        yield "root"
