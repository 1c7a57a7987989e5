"""The choice of elements of the matrix: every pair of values of two axes occurs, if it is possible."""

import random
from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from tests.support.media.matrix import AXES, Element


def elements(count: int | None = None) -> list[Element]:
    """Return elements that cover every possible pair, always the same; `count` of them, or all."""
    return list(islice(_pairwise(random.Random(11)), count))


def _pairwise(chance: random.Random) -> Iterator[Element]:
    """Greedily choose the element with the most new pairs among random ones."""
    axes = list(AXES)
    missing = {(a, x, b, y) for a, b in combinations(axes, 2) for x in AXES[a] for y in AXES[b]}
    fruitless = 0
    while missing and fruitless < 200:
        choices = sorted(missing)
        candidates = [_candidate(chance, choices) for _ in range(30)]
        best = max((c for c in candidates if c), key=lambda c: len(_pairs(c) & missing), default=None)
        new = _pairs(best) & missing if best else set()
        fruitless = 0 if new else fruitless + 1
        missing -= new
        if best and new:
            yield best


def _candidate(chance: random.Random, missing: Sequence[tuple[str, str, str, str]]) -> Element | None:
    """Return a random possible element with one of the missing pairs."""
    a, x, b, y = chance.choice(missing)
    for _ in range(20):
        values = {axis: chance.choice(choices) for axis, choices in AXES.items()} | {a: x, b: y}
        element = Element(**values)
        if element.possible:
            return element
    return None


def _pairs(element: Element) -> set[tuple[str, str, str, str]]:
    values: Sequence[tuple[str, str]] = [(axis, getattr(element, axis)) for axis in AXES]
    return {(a, x, b, y) for (a, x), (b, y) in combinations(values, 2)}
