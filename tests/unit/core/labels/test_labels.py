"""The segments that show the visible label."""

from fractions import Fraction

import pytest

from facecli.core.labels.labels import BurntLabel, LabelFrames, Labels, LabelText, on_segment

HALF = Fraction(1, 2)


def labels(frames: LabelFrames) -> Labels:
    return Labels(producer="p", text=LabelText.ENGLISH, frames=frames)


@pytest.mark.parametrize(
    ("start", "seconds"), [(0, 2), (HALF, 3 * HALF), (2 - HALF, HALF), (2, None), (60, None)]
)
def test_the_opening_ends_two_seconds_after_the_beginning_of_the_result(
    start: Fraction, seconds: Fraction | None
) -> None:
    found = on_segment(labels(LabelFrames.OPENING), start=10 + Fraction(start), begin=Fraction(10))
    assert found == (
        None if seconds is None else BurntLabel(text=LabelText.ENGLISH, seconds=Fraction(seconds))
    )


def test_all_frames_show_it_without_an_end() -> None:
    found = on_segment(labels(LabelFrames.ALL), start=Fraction(99), begin=Fraction(0))
    assert found == BurntLabel(text=LabelText.ENGLISH)
