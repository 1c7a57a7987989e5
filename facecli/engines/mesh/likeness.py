"""The likeness of a swap, measured as the engine distinguishes people: by the embeddings of their faces."""

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from facecli.core.errors import BytesDiffer
from facecli.core.video.likeness import Likeness
from facecli.core.video.media import Media, VideoInfo, never
from facecli.engines.mesh.engine import MAX_PICTURE_SIDE
from facecli.engines.mesh.process.client import SwapProcess, swap_process
from facecli.engines.mesh.process.setup import Setup, Work

SAMPLES = 6  # frames of each video
_EVERYBODY = {"faces": "all", "match": "0"}  # no two faces are one person, so that each is listed


def measure_likeness(media: Media, *, photo: Path, before: Path, after: Path) -> Likeness:
    """Compare a photo with the video and with the result, in one process in the sandbox.

    BytesDiffer when the frames of the result are of another kind than those of the video.
    """
    picture = media.read_picture(photo, max_side=MAX_PICTURE_SIDE)
    videos = [(path, media.probe_video(path)) for path in (before, after)]
    layout, other = (media.frame_layout(info) for _, info in videos)
    if other != layout:
        raise BytesDiffer(f"the frames of {after} have another size, depth or range than those of {before}")
    setup = Setup(work=Work.PLAN, layout=layout, picture=(picture.width, picture.height), options=_EVERYBODY)
    with swap_process(media, setup, picture, stopped=never) as process:
        frames = [_show(media, process, path, info) for path, info in videos]
        list(process.finish())
    photographed = process.result["embedding"]
    nearest = _largest(process.result["people"])
    distances = {frame: math.dist(embedding, photographed) for frame, embedding in nearest.items()}
    return Likeness(
        before=[distance for frame, distance in distances.items() if frame < frames[0]],
        after=[distance for frame, distance in distances.items() if frame >= frames[0]],
        frames=frames[1],
    )


def _show(media: Media, process: SwapProcess, video: Path, info: VideoInfo) -> int:
    """Show the process the sampled frames of a video; return their number."""
    samples = media.sample_frames(video, info, count=SAMPLES, stopped=never)
    number = 0
    with closing(samples):
        for planes in samples:
            list(process.push(planes, own=False))
            number += 1
    return number


def _largest(people: Sequence[Mapping[str, Any]]) -> Mapping[int, Sequence[float]]:
    """The embedding of the largest face of each frame."""
    return {face["frame"]: face["embedding"] for face in sorted(people, key=lambda face: float(face["area"]))}
