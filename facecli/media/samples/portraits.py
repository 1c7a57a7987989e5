"""Two portraits in the public domain, and a clip in which a camera moves over one of them."""

from pathlib import Path

import ffmpeg

from facecli.core.video.media import CLIP_RATE
from facecli.media.commands import compiled, encoded_sample, file_url

FOLDER = Path(__file__).parent
PHOTO, FILMED = FOLDER / "grace_hopper.jpg", FOLDER / "astronaut.png"
WIDTH, HEIGHT = 960, 540  # pixels of the clip

_SCALED_WIDTH = 1344  # of the photo, which is larger than the clip
_TILT = "0.07*sin(1.7*t)"  # radians
# Shares of the room that the camera has beside and above the clip.
_ACROSS, _DOWN = "0.45+0.3*sin(0.9*t)", "0.13+0.08*sin(2.1*t)"


def clip_command(binary: Path, output: Path, seconds: int) -> list[str]:
    """Pan and tilt over the photo, with a tone."""
    photo = ffmpeg.input(file_url(FILMED), loop=1, framerate=CLIP_RATE, t=seconds)
    filmed = photo["v"].filter("scale", _SCALED_WIDTH, -2).filter("rotate", _TILT)
    filmed = filmed.filter("crop", WIDTH, HEIGHT, f"(iw-ow)*({_ACROSS})", f"(ih-oh)*({_DOWN})")
    return compiled(encoded_sample(filmed, output, seconds), binary, level="error")
