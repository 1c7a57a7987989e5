"""Findings: the labels that were found in a file, and what is missing or wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """A kind of label."""

    IMPLICIT = "implicit"
    VISIBLE = "visible"
    C2PA = "c2pa"


class State(StrEnum):
    """State of one label. `unknown`: it may be there, and cannot be checked here."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One label of a file: its state, a sentence about it, and its values as JSON."""

    mark: Mark
    state: State
    about: str
    details: Mapping[str, object] = field(default_factory=dict)
    says_ai: bool = False  # a present label that says the video is AI-made; C2PA can also say otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All labels of one file, in the order of `Mark`."""

    found: tuple[Finding, ...]

    def of(self, mark: Mark) -> Finding:
        return next(each for each in self.found if each.mark is mark)

    @property
    def damaged(self) -> list[Finding]:
        return [each for each in self.found if each.state is State.DAMAGED]

    @property
    def labelled(self) -> bool:
        """Whether a machine can read in the file that it is AI-made, or a person can see it."""
        return any(each.says_ai and each.state is State.PRESENT for each in self.found)

    def missing(self, wanted: tuple[Mark, ...]) -> list[Mark]:
        return [mark for mark in wanted if self.of(mark).state is not State.PRESENT]
