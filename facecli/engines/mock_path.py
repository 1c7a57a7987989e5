"""The way that the mock's face takes over a video: the same for the same face, video and seed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from facecli.core.media import VideoInfo
from facecli.core.placement import Oscillation, Placement

LOOKED_AT = 1024 * 1024  # bytes of each file that make it another one
SLOWEST, FASTEST = 12.0, 6.0  # seconds of one swing
LEAST_REACH = 0.4  # of the way to the border


def face_placement(info: VideoInfo, *, face: Path, video: Path, seed: int) -> Placement:
    """A square of a third of the short side, always within the video; even numbers, as in `Placement`."""
    chance = _chance(face, video, seed)
    short = min(info.width, info.height)
    side = min(short, max(2, short // 6 * 2))
    return Placement(
        width=side,
        height=side,
        x=_swing(info.width - side, chance),
        y=_swing(info.height - side, chance),
    )


def _swing(room: int, chance: Iterator[float]) -> Oscillation:
    return Oscillation(
        middle=room / 2,
        reach=room / 2 * (LEAST_REACH + (1 - LEAST_REACH) * next(chance)),
        period=SLOWEST + (FASTEST - SLOWEST) * next(chance),
        phase=next(chance),
    )


def _chance(face: Path, video: Path, seed: int) -> Iterator[float]:
    """Numbers from 0 to 1 that hang on nothing else."""
    digest = hashlib.sha256(str(seed).encode())
    for path in (face, video):
        with path.open("rb") as file:
            digest.update(hashlib.sha256(file.read(LOOKED_AT)).digest())
    return (byte / 255 for byte in digest.digest())
