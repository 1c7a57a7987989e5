"""A video taken through the real path in this process: probe, sound, segments with an overlay, join."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from facecli.core.video.media import OverlayJob, VideoPlan
from facecli.core.video.placement import Box, Placement
from facecli.media.ffmpeg import FfmpegMedia

SIDE = 16  # pixels of the face


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    output: Path
    plan: VideoPlan
    notes: list[str]


@cache
def _media(binary: Path, segment_megapixels: int) -> FfmpegMedia:
    """Media that asks each ffmpeg for its version once."""
    return FfmpegMedia(wanted=str(binary), segment_megapixels=segment_megapixels)


def swap(binary: Path, video: Path, folder: Path, *, segment_megapixels: int = 1500) -> Swapped:
    """Put a red square into the corner of every frame; MediaRefused as in the creation of a task.

    Nothing after the plan may fail: an error there is a fault, and is raised as an AssertionError.
    """
    media = _media(binary, segment_megapixels)
    plan = media.plan(video)
    picture, sound = folder / "picture.png", folder / "sound.mp4"
    Image.new("RGB", (SIDE, SIDE), "red").save(picture)
    try:
        notes = media.extract_sound(video, plan, sound, stopped=lambda: False)
        parts = []
        for segment in plan.segments:
            job = OverlayJob(
                video=video,
                segment=segment,
                info=plan.info,
                picture=picture,
                placement=Placement.fixed(Box(x=0, y=0, width=SIDE, height=SIDE)),
                output=folder / f"{segment.index}.mp4",
            )
            media.overlay(job, progress=lambda frames: None, stopped=lambda: False)
            if (frames := media.count_frames(job.output)) != segment.frames:
                assert frames == media.count_decodable(video, segment, plan.info)
            parts.append(job.output)
        output = folder / "swapped.mp4"
        media.join(metadata={}, parts=parts, sound=sound, plan=plan, output=output, stopped=lambda: False)
    except Exception as error:
        raise AssertionError(f"{video.name} was accepted, then failed: {error}") from error
    return Swapped(output=output, plan=plan, notes=notes)
