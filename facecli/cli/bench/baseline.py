"""The baseline of a bench: an earlier run to compare with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.core.errors import InvalidInput

Figures = Mapping[str, float | None]

SLOWER = 1.15  # times the ratio of the baseline; less is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An earlier bench: its plan, its server (None for a local one) and its figures."""

    plan: dict[str, Any]
    server: str | None
    figures: dict[str, float | None]


def read_baseline(path: Path, *, bench: str) -> Baseline:
    """Read the --json output of an earlier bench; InvalidInput if it is not one of the same kind."""
    try:
        output = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not the output of facecli bench --json: {error}") from error
    match output:
        case {
            "bench": str(kind),
            "plan": dict(plan),
            "server": {"address": None | str() as server},
            "figures": dict(figures),
        } if kind == bench and all(
            value is None or isinstance(value, int | float) for value in figures.values()
        ):
            return Baseline(plan=plan, server=server, figures=figures)
    raise InvalidInput(f"{path} is not the output of facecli bench {bench} --json")


def ratios(figures: Figures, baseline: Figures) -> dict[str, float | None]:
    """Each figure divided by the baseline's; None where one is unknown or the baseline's is 0."""
    return {
        name: round(value / was, 4) if value is not None and (was := baseline.get(name)) else None
        for name, value in figures.items()
    }


def slower(figures: Figures, baseline: Figures) -> str:
    """A sentence when the `ratio` of an upload bench is much higher than the baseline's, otherwise empty."""
    now, was = figures.get("ratio"), baseline.get("ratio")
    if now is None or not was or now <= SLOWER * was:
        return ""
    return (
        f"slower than the baseline: the ratio is {now:.2f}, not {was:.2f}; "
        f"--fail-if 'ratio>{SLOWER}*baseline' makes this an error"
    )
