"""Limits of a bench, such as `seconds>1.2*baseline`."""

import operator
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from facecli.cli.bench.baseline import Baseline, Figures
from facecli.config.amounts import parse_size
from facecli.core.errors import FacecliError, InvalidInput

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_LIMIT = re.compile(r"\s*(?P<name>\w+)\s*(?P<operator>[<>]=?)\s*(?P<limit>[^<>=]+?)\s*")
_OF_BASELINE = re.compile(r"(?:(?P<factor>[^*]+?)\s*\*\s*)?baseline")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of a figure: `value`, or `value` times the baseline's. `text` is the option as given."""

    text: str
    name: str
    operator: str
    value: float
    of_baseline: bool

    def violation(self, figures: Figures, baseline: Figures | None) -> str:
        """A sentence if the figures exceed the limit, otherwise empty."""
        measured = _known(figures, self.name, "this bench")
        limit = self.value * (_known(baseline or {}, self.name, "the baseline") if self.of_baseline else 1)
        if not _OPERATORS[self.operator](measured, limit):
            return ""
        shown = f"{self.operator} {limit:.10g}"
        return f"{self.name} is {measured:.10g}, {shown}" + (f" ({self.text})" if self.of_baseline else "")


def read_limits(texts: Sequence[str], *, names: Collection[str], baseline: Baseline | None) -> list[Limit]:
    """Parse limits; InvalidInput for a bad expression or a figure that is not measured, here or in the
    baseline.
    """
    return [_limit(text, names, baseline.figures if baseline else None) for text in texts]


def check(limits: Sequence[Limit], figures: Figures, baseline: Baseline | None) -> None:
    """Raise FacecliError, naming every limit that is exceeded."""
    known = baseline.figures if baseline else None
    if violations := [text for limit in limits if (text := limit.violation(figures, known))]:
        raise FacecliError("; ".join(violations))


def _limit(text: str, names: Collection[str], baseline: Figures | None) -> Limit:
    parts = _LIMIT.fullmatch(text)
    if not parts:
        raise InvalidInput(f"--fail-if {text!r} is not NAME<LIMIT; write mb_per_s<300 or p95_ms>1.2*baseline")
    name = parts["name"]
    if name not in names:
        raise InvalidInput(f"--fail-if {text!r}: there is no figure {name}; choose from {', '.join(names)}")
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
