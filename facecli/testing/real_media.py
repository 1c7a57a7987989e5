"""The media that servers and workers use, for tests of engines that need real frames."""

from facecli.core.video.media import Media
from facecli.media.ffmpeg import FfmpegMedia


def ffmpeg_media(*, ffmpeg: str | None = None, segment_megapixels: int = 1500) -> Media:
    """Return media that use the given ffmpeg, else the installed one. Smaller segments are more segments."""
    return FfmpegMedia(wanted=ffmpeg, segment_megapixels=segment_megapixels)
