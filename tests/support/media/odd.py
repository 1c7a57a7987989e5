"""Inputs of odd videos, and the comparison of a result with its video."""

import os
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from tests.support.e2e.requirements import needs
from tests.support.media.seen import Seen, look_at
from tests.support.media.swapped import Swapped

Swap = Callable[..., Swapped]

SIZE = "64x48"
PICTURE = ("-f", "lavfi", "-i", f"testsrc2=s={SIZE}:r=25:d=1")
TONE = "aevalsrc=if(gte(t\\,0.2)\\,0.5*sin(2*PI*1000*t)\\,0):s=48000:d=1"  # silent for 0.2 s
SOUND = ("-f", "lavfi", "-i", TONE)
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SYNC = 0.03  # seconds by which a converted sound may move: half a frame of AAC


def alternating(names: str, rows: Sequence[object]) -> pytest.MarkDecorator:
    """Run a test with rows, every other one on the oldest ffmpeg; MATRIX=all runs each on both."""
    binaries = ("newest", "oldest")
    chosen = [
        (binary, row)
        for at, row in enumerate(rows)
        for by, binary in enumerate(binaries)
        if os.environ.get("MATRIX") == "all" or at % 2 == by
    ]
    return _on_binaries(
        names, [(binary, *(row if isinstance(row, tuple) else (row,))) for binary, row in chosen]
    )


def pairwise(names: str, *factors: Sequence[str]) -> pytest.MarkDecorator:
    """Run a test with rows in which every value meets every value of two factors and both ffmpegs.

    MATRIX=all runs every combination.
    """
    first, second = factors
    rows = [
        (binary, one, other)
        for binary, (at, one), (by, other) in product(
            ("newest", "oldest"), enumerate(first), enumerate(second)
        )
        if os.environ.get("MATRIX") == "all" or (at + by) % 2 == (binary == "oldest")
    ]
    return _on_binaries(names, rows)


def _on_binaries(names: str, rows: Sequence[tuple[object, ...]]) -> pytest.MarkDecorator:
    """Run a test with rows that begin with the ffmpeg."""
    parameters = [pytest.param(*row, marks=needs("ffmpeg 5.1") if row[0] == "oldest" else ()) for row in rows]
    return pytest.mark.parametrize(f"binary,{names}", parameters, indirect=["binary"])


def check_same(video: Path, output: Path) -> tuple[Seen, Seen]:
    """Check that the result has the frames, times and sound of the video; return how both are seen."""
    before, after = look_at(video), look_at(output)
    assert after.frames == before.frames
    for time, wanted in zip(after.times, before.times, strict=True):
        assert float(time) == pytest.approx(float(wanted), abs=0.001)
    assert len(after.sounds) == len(before.sounds)
    for sound, original in zip(after.sounds, before.sounds, strict=True):
        assert sound.onset == pytest.approx(original.onset, abs=SYNC)
    return before, after
