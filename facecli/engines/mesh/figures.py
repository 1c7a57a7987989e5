"""Figures: what became of the frames of a segment."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Figures:
    """Frames of a segment by their outcome: together they are all of them."""

    swapped: int = 0
    turned: int = 0  # all wanted faces are turned away too far
    without: int = 0  # no wanted face
