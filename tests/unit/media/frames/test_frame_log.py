"""Lines of ffmpeg's showinfo, also such as its decoder has written into."""

import pytest

from facecli.media.frames.frame_log import FrameLog
from facecli.media.unknown_output import FfmpegOutputUnknown

PREFIX = "[Parsed_showinfo_6 @ 0x7f5bac0126c0] [info] "
COLORS = "color_range:tv color_space:bt709 color_primaries:bt709 color_trc:unknown"
TORN = "color_range:unknownInvalid NAL unit size (0 > 649)."


def frame(number: int) -> str:
    return f"{PREFIX}n:{number:4} pts:{number * 40:7} pts_time:0 duration: 40 fmt:yuv420p sar:1/1 s:64x36 i:P"


def test_a_report_of_damage_within_the_colours_of_a_later_frame_is_no_error() -> None:
    log = FrameLog()
    for line in (frame(0), PREFIX + COLORS, frame(1), PREFIX + TORN):
        log.feed(line)
    times = [(taken.time, taken.primaries) for taken in iter(log.take, None)]
    assert times == [(0, "bt709"), (40, "bt709")]


def test_colours_of_the_first_frame_that_cannot_be_read_are_an_error() -> None:
    log = FrameLog()
    log.feed(frame(0))
    with pytest.raises(FfmpegOutputUnknown, match="Invalid NAL"):
        log.feed(PREFIX + TORN)
