"""Figures: what the values of many runs become for who reads a bench."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facecli.core.errors import InvalidInput

MB = 1e6  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is measured in each run, what people call it, and how the runs' values become one.

    Not `joined` is what is found from all single moments of all runs instead.
    """

    name: str
    label: str
    how: str
    joined: Callable[[Sequence[float]], float] | None


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def milliseconds(delays: Sequence[float], share: float) -> float:
    """That percentile of delays in seconds; InvalidInput when the run was too short to see one."""
    if not delays:
        raise InvalidInput("so short a run shows no delay; take a longer --watch-for, or a larger --size")
    return round(percentile(delays, share) * 1000, 3)


def names_of(figures: Sequence[Figure]) -> list[str]:
    """Each over all runs, of the least and of the greatest run."""
    return [figure.name + suffix for figure in figures for suffix in ("", "_min", "_max")]


def over_runs(figures: Sequence[Figure], values: Mapping[str, Sequence[float]]) -> dict[str, float | None]:
    """By the names of `names_of`; None where nothing was seen, and for what is not joined."""
    found: dict[str, float | None] = {}
    for figure in figures:
        seen = values[figure.name]
        found[figure.name] = round(figure.joined(seen), 4) if figure.joined and seen else None
        found[f"{figure.name}_min"] = min(seen, default=None)
        found[f"{figure.name}_max"] = max(seen, default=None)
    return found
