"""The visible label in a video: found by its pixels, and burnt into a segment that lacks it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.labels.findings import Finding, Mark, State
from facecli.core.labels.labels import BurntLabel, LabelText
from facecli.core.video.frames import FrameFilter, FrameLayout
from facecli.core.video.media import FramesJob, MediaLimits
from facecli.media.commands import compiled, hardened_input
from facecli.media.frames.piped_program import piped
from facecli.media.frames.rewrite import rewrite_frames
from facecli.media.labels.plate import plate_for
from facecli.media.probe import plan_video
from facecli.media.run import ProcessLimits

ALIKE = 0.8  # correlation with the label from which a frame shows it
MAX_SAMPLES = 20_000  # pixels that are compared
_HEADER = 64  # bytes of a PGM header, at most
_FIRST_FRAME = ProcessLimits(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayFrame:
    """A frame, one byte a pixel."""

    width: int
    height: int
    levels: bytes | bytearray


def first_frame(binary: Path, video: Path, limits: MediaLimits, *, stopped: Callable[[], bool]) -> GrayFrame:
    """Decode the first frame, upright; MediaRefused when there is none."""
    command = gray_frame_command(binary, video, limits)
    with piped(command, limits=_FIRST_FRAME, reads=[video], stopped=stopped) as decoder:
        header = bytearray()
        while header.count(b"\n") < 3 and len(header) < _HEADER and (byte := decoder.read(1)):
            header += byte
        fields = header.split()
        if len(fields) == 4 and fields[0] == b"P5" and all(field.isdigit() for field in fields[1:]):
            width, height = int(fields[1]), int(fields[2])
            if width * height <= limits.max_pixels:
                levels = decoder.read(width * height)
                if len(levels) == width * height > 0:
                    return GrayFrame(width=width, height=height, levels=levels)
        raise MediaRefused(
            f"{video.name} cannot be decoded ({decoder.wait().error_text or 'it has no frames'})"
        )


def gray_frame_command(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Write the first frame to stdout as a PGM picture."""
    frame = hardened_input(video, limits)["V:0"].filter("format", "gray")
    options = {"frames:v": 1, "c:v": "pgm"}
    output = ffmpeg.output(frame, "pipe:1", format="image2pipe", **options)
    return compiled(output, binary, level="error", tolerant=True)


def shown_text(frame: GrayFrame) -> LabelText | None:
    """Return the label that a frame shows, of those that facecli draws; None for none."""
    found = max(LabelText, key=lambda text: _correlation(frame, text))
    return found if _correlation(frame, found) >= ALIKE else None


def visible_finding(frame: GrayFrame) -> Finding:
    """The visible label on the first frame of a file."""
    if text := shown_text(frame):
        return Finding(
            mark=Mark.VISIBLE,
            state=State.PRESENT,
            about=f"the first frame shows {text.shown}",
            details={"text": text.shown},
            says_ai=True,
        )
    about = "none of facecli's on the first frame; a label of another look is not recognized"
    return Finding(mark=Mark.VISIBLE, state=State.MISSING, about=about)


def burn_in(
    binary: Path,
    segment: Path,
    label: BurntLabel,
    limits: MediaLimits,
    *,
    process_limits: ProcessLimits,
    stopped: Callable[[], bool],
) -> None:
    """Encode a segment again, with the label on it."""
    plan = plan_video(binary, segment, limits, stills=0, segment_megapixels=None)
    output = segment.with_name(f"labelled-{segment.name}")
    job = FramesJob(
        video=segment, segment=replace(plan.segments[0], label=label), info=plan.info, output=output
    )
    rewrite_frames(
        binary,
        job,
        open_filter=_unchanged,
        limits=limits,
        process_limits=process_limits,
        progress=lambda frames: None,
        stopped=stopped,
    )
    output.replace(segment)


class _Unchanged:
    def push(self, planes: bytearray, *, own: bool) -> Iterable[bytearray]:
        return [planes]

    def finish(self) -> Iterable[bytearray]:
        return ()


@contextmanager
def _unchanged(layout: FrameLayout) -> Iterator[FrameFilter]:
    yield _Unchanged()


def _correlation(frame: GrayFrame, text: LabelText) -> float:
    """Return how alike a label and its place are: 1 for the same up to brightness and contrast."""
    plate = plate_for(text, frame.width, frame.height)
    box = plate.box
    step = max(1, box.width * box.height // MAX_SAMPLES)
    wanted = b"".join(plate.rows)[::step]
    rows = (frame.levels[(box.y + row) * frame.width + box.x :][: box.width] for row in range(box.height))
    found = b"".join(rows)[::step]
    count = len(wanted)
    mean_wanted, mean_found = sum(wanted) / count, sum(found) / count
    together = squares_wanted = squares_found = 0.0
    for one, other in zip(wanted, found, strict=True):
        a, b = one - mean_wanted, other - mean_found
        together += a * b
        squares_wanted += a * a
        squares_found += b * b
    spread = sqrt(squares_wanted * squares_found)
    return together / spread if spread else 0.0
