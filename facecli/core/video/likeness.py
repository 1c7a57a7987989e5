"""Likeness: how near the faces of a video are to a photo, before and after a swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

SAME_PERSON = 0.6  # distance below which two pictures show one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Distances, by the face recogniser, of the largest face of each sampled frame from the photo's face.

    A frame without a face has none.
    """

    before: Sequence[float]
    after: Sequence[float]
    frames: int  # sampled of each video

    @property
    def swapped(self) -> bool:
        """Whether every frame shows a face that is nearer to the photo's than any was before."""
        if not self.before or len(self.after) < self.frames:
            return False
        return max(self.after) < min(self.before) and fmean(self.after) < SAME_PERSON

    @property
    def text(self) -> str:
        """A clause for people, with the mean distances."""
        if not self.after:
            return f"none of {self.frames} frames has a face"
        before = f", {fmean(self.before):.2f} in the clip" if self.before else ""
        return (
            f"distance {fmean(self.after):.2f} by the face recogniser in {len(self.after)} of {self.frames} "
            f"frames{before}; below {SAME_PERSON} means the same person"
        )
