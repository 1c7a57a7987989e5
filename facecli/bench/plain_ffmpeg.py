"""The baseline of task benchmarks: a swap as one ffmpeg command, without segments, database and checks."""

import time
from pathlib import Path

from facecli.core.video.engines import Engine, SwapJob
from facecli.core.video.media import Media


def measure_plain_swap(media: Media, engine: Engine, *, face: Path, video: Path, output: Path) -> float:
    """Return the engine's frames per second on the whole video, which `media` has to plan as one segment."""
    plan = media.plan(video)
    (whole,) = plan.segments
    job = SwapJob(face=face, video=video, segment=whole, output=output, info=plan.info)
    started = time.monotonic()
    engine.swap(job, progress=lambda frames: None, stopped=lambda: False)
    return whole.frames / (time.monotonic() - started)
