"""The path of the mock engine's face over a video: the same for the same face, video and seed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from facecli.core.video.media import VideoInfo
from facecli.core.video.placement import Oscillation, Placement

HASHED_BYTES = 1024 * 1024  # of each file, from its beginning
SLOWEST_SECONDS, FASTEST_SECONDS = 12.0, 6.0  # of one period
MIN_REACH = 0.4  # of the way to the border


def face_placement(info: VideoInfo, *, face: Path, video: Path, seed: int) -> Placement:
    """Return a square of a third of the short side that always stays within the video."""
    randoms = _random_numbers(face, video, seed)
    short = min(info.width, info.height)
    side = min(short, max(2, short // 6 * 2))
    return Placement(
        width=side,
        height=side,
        x=_oscillation(info.width - side, randoms),
        y=_oscillation(info.height - side, randoms),
    )


def _oscillation(room: int, randoms: Iterator[float]) -> Oscillation:
    return Oscillation(
        middle=room / 2,
        reach=room / 2 * (MIN_REACH + (1 - MIN_REACH) * next(randoms)),
        period=SLOWEST_SECONDS + (FASTEST_SECONDS - SLOWEST_SECONDS) * next(randoms),
        phase=next(randoms),
    )


def _random_numbers(face: Path, video: Path, seed: int) -> Iterator[float]:
    """Yield numbers from 0 to 1 that depend on nothing else."""
    digest = hashlib.sha256(str(seed).encode())
    for path in (face, video):
        with path.open("rb") as file:
            digest.update(hashlib.sha256(file.read(HASHED_BYTES)).digest())
    return (byte / 255 for byte in digest.digest())
