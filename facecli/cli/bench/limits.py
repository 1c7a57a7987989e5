"""What a bench is compared with: an earlier one, and limits such as `seconds>1.2*baseline`."""

import json
import operator
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.config.amounts import parse_size
from facecli.core.errors import FacecliError, InvalidInput

Figures = Mapping[str, float | None]

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_LIMIT = re.compile(r"\s*(?P<name>\w+)\s*(?P<operator>[<>]=?)\s*(?P<limit>[^<>=]+?)\s*")
_OF_BASELINE = re.compile(r"(?:(?P<factor>[^*]+?)\s*\*\s*)?baseline")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An earlier bench: its plan, its server, which is None for one of its own, and its figures."""

    plan: dict[str, Any]
    server: str | None
    figures: dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`text` as it was written; the limit is so many times the baseline's value, or `value`."""

    text: str
    name: str
    operator: str
    value: float
    of_baseline: bool

    def broken_by(self, figures: Figures, baseline: Figures | None) -> str:
        """The sentence that says so; empty when the limit is kept."""
        found = _known(figures, self.name, "this bench")
        limit = self.value * (_known(baseline or {}, self.name, "the baseline") if self.of_baseline else 1)
        if not _OPERATORS[self.operator](found, limit):
            return ""
        shown = f"{self.operator} {limit:.10g}"
        return f"{self.name} is {found:.10g}, {shown}" + (f" ({self.text})" if self.of_baseline else "")


def read_limits(texts: Sequence[str], *, names: Collection[str], baseline: Baseline | None) -> list[Limit]:
    """InvalidInput for what is no limit, and for a figure that is not measured, here or in the baseline."""
    return [_limit(text, names, baseline.figures if baseline else None) for text in texts]


def check(limits: Sequence[Limit], figures: Figures, baseline: Baseline | None) -> None:
    """FacecliError names every limit that is broken."""
    known = baseline.figures if baseline else None
    if broken := [said for limit in limits if (said := limit.broken_by(figures, known))]:
        raise FacecliError("; ".join(broken))


def read_baseline(path: Path, *, bench: str) -> Baseline:
    """What `--json` of an earlier bench of the same kind printed. InvalidInput when the file is not that."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not what facecli bench --json printed: {error}") from error
    match said:
        case {
            "bench": str(kind),
            "plan": dict(plan),
            "server": {"address": None | str() as server},
            "figures": dict(figures),
        } if kind == bench and all(
            value is None or isinstance(value, int | float) for value in figures.values()
        ):
            return Baseline(plan=plan, server=server, figures=figures)
    raise InvalidInput(f"{path} is not what facecli bench {bench} --json printed")


def ratios(figures: Figures, baseline: Figures) -> dict[str, float | None]:
    """This by the baseline; None where one of them is unknown, or the baseline's is 0."""
    return {
        name: round(value / was, 4) if value is not None and (was := baseline.get(name)) else None
        for name, value in figures.items()
    }


def _limit(text: str, names: Collection[str], baseline: Figures | None) -> Limit:
    parts = _LIMIT.fullmatch(text)
    if not parts:
        raise InvalidInput(f"--fail-if {text!r} is not NAME<LIMIT; write mb_per_s<300 or p95_ms>1.2*baseline")
    name = parts["name"]
    if name not in names:
        raise InvalidInput(f"--fail-if {text!r}: there is no {name}; there are {', '.join(names)}")
    of_baseline = _OF_BASELINE.fullmatch(parts["limit"])
    if of_baseline:
        if baseline is None:
            raise InvalidInput(f"--fail-if {text!r} needs a --baseline FILE")
        _known(baseline, name, "the baseline")
    number = (of_baseline["factor"] or "1") if of_baseline else parts["limit"]
    return Limit(
        text=text.strip(),
        name=name,
        operator=parts["operator"],
        value=_number(number, text, size="_bytes" in name and not of_baseline),
        of_baseline=bool(of_baseline),
    )


def _known(figures: Figures, name: str, where: str) -> float:
    value = figures.get(name)
    if value is None:
        raise InvalidInput(f"{name} was not measured in {where}")
    return value


def _number(text: str, limit: str, *, size: bool) -> float:
    if size:
        with suppress(InvalidInput):
            return parse_size(text)
    elif _NUMBER.fullmatch(text):
        return float(text)
    raise InvalidInput(f"--fail-if {limit!r}: {text!r} is not a {'size' if size else 'number'}")
