"""What a task is measured beside: its swap as one plain command, without steps, rows and checks."""

import time
from pathlib import Path

from facecli.core.engines import Engine, Swap
from facecli.core.media import Media


def swap_plainly(media: Media, engine: Engine, *, face: Path, video: Path, output: Path) -> float:
    """Frames per second of the engine alone on the whole video; `media` has to plan it as one segment."""
    plan = media.plan(video)
    (whole,) = plan.segments
    swap = Swap(face=face, video=video, segment=whole, output=output, info=plan.info)
    began = time.monotonic()
    engine.swap(swap, progress=lambda frames: None, stopped=lambda: False)
    return whole.frames / (time.monotonic() - began)
