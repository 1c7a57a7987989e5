"""Labels that a result gets: policy, texts, and the visible label of one segment."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

OPENING_SECONDS = 2  # for which a visible label is shown at least


class LabelPolicy(StrEnum):
    """The labels of a server's results: always, unless a task waives them, or never."""

    REQUIRED = "required"
    DEFAULT = "default"
    OFF = "off"


class LabelText(StrEnum):
    """The language of the visible label."""

    ENGLISH = "en"
    CHINESE = "zh"

    @property
    def shown(self) -> str:
        return _SHOWN[self]


class LabelFrames(StrEnum):
    """The frames that show the visible label."""

    OPENING = "opening"
    ALL = "all"


_SHOWN = {LabelText.ENGLISH: "AI MODIFIED", LabelText.CHINESE: "AI生成"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one result, decided when its task was created. `producer` is for the implicit one."""

    producer: str
    text: LabelText
    frames: LabelFrames


@dataclass(frozen=True, slots=True, kw_only=True)
class BurntLabel:
    """The visible label on a segment: on its frames before `seconds` after its first, None for all."""

    text: LabelText
    seconds: Fraction | None = None


def on_segment(labels: Labels, *, start: Fraction, begin: Fraction) -> BurntLabel | None:
    """The label of a segment that starts at `start`, of a result that begins at `begin`; None for none."""
    if labels.frames is LabelFrames.ALL:
        return BurntLabel(text=labels.text)
    left = begin + OPENING_SECONDS - start
    return BurntLabel(text=labels.text, seconds=left) if left > 0 else None
