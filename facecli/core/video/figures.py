"""SwapFigures: what became of the frames of a segment, or of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapFigures:
    """Numbers of frames by their outcome, and of the different people in the whole video."""

    swapped: int = 0
    without_face: int = 0  # that is to be replaced
    turned_away: int = 0  # too far to be replaced
    people: int = 0

    @property
    def frames(self) -> int:
        return self.swapped + self.without_face + self.turned_away

    @property
    def text(self) -> str:
        """A clause for people, such as `swapped 90 of 100 frames, 10 without a face`."""
        parts = [f"swapped {self.swapped} of {self.frames} frame{'s' if self.frames != 1 else ''}"]
        if self.without_face:
            parts.append(f"{self.without_face} without a face to replace")
        if self.turned_away:
            parts.append(f"{self.turned_away} with the face turned away")
        if self.people > 1:
            parts.append(f"{self.people} people in the video")
        return ", ".join(parts)


def total(figures: Iterable[SwapFigures]) -> SwapFigures | None:
    """The figures of several segments of one video; None for none."""
    each = list(figures)
    if not each:
        return None
    return SwapFigures(
        swapped=sum(one.swapped for one in each),
        without_face=sum(one.without_face for one in each),
        turned_away=sum(one.turned_away for one in each),
        people=max(one.people for one in each),
    )
