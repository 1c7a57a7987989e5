"""Figures: the statistics of a bench over all its runs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facecli.core.errors import InvalidInput

MB = 1e6  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: its name in JSON, its label, and its aggregate over all runs.

    `aggregate` names the aggregate, `join` computes it; None when the figure is computed from the single
    events of all runs instead.
    """

    name: str
    label: str
    aggregate: str
    join: Callable[[Sequence[float]], float] | None


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def milliseconds(delays: Sequence[float], share: float) -> float:
    """A percentile of delays (in seconds) in milliseconds; InvalidInput without any delay."""
    if not delays:
        raise InvalidInput(
            "the run was too short to measure a delay; use a longer --watch-for or a larger --size"
        )
    return round(percentile(delays, share) * 1000, 3)


def value_names(figures: Sequence[Figure]) -> list[str]:
    """The names of all values: each figure over all runs, its minimum and its maximum."""
    return [figure.name + suffix for figure in figures for suffix in ("", "_min", "_max")]


def aggregate(figures: Sequence[Figure], values: Mapping[str, Sequence[float]]) -> dict[str, float | None]:
    """All values by name; None where nothing was measured, and for figures without `join`."""
    result: dict[str, float | None] = {}
    for figure in figures:
        measured = values[figure.name]
        result[figure.name] = round(figure.join(measured), 4) if figure.join and measured else None
        result[f"{figure.name}_min"] = min(measured, default=None)
        result[f"{figure.name}_max"] = max(measured, default=None)
    return result
