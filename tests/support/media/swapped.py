"""A video taken through the real path in this process: probe, sound, segments with an overlay, join."""

from dataclasses import dataclass
from pathlib import Path

from facecli.core.video.media import OverlayJob, VideoPlan
from facecli.core.video.placement import Box, Placement
from facecli.media.ffmpeg import FfmpegMedia

SIDE = 16  # pixels of the face


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    output: Path
    plan: VideoPlan
    notes: list[str]


def swap(binary: Path, video: Path, folder: Path, *, segment_megapixels: int = 1500) -> Swapped:
    """Put a red square into the corner of every frame; MediaRefused as in the creation of a task.

    Nothing after the plan may fail: an error there is a fault, and is raised as an AssertionError.
    """
    media = FfmpegMedia(wanted=str(binary), segment_megapixels=segment_megapixels)
    plan = media.plan(video)
    face, picture, sound = folder / "face.png", folder / "picture.png", folder / "sound.mp4"
    media.make_face(face)
    media.fit_picture(face, picture, width=SIDE, height=SIDE)
    try:
        notes = media.extract_sound(video, plan.info, sound, stopped=lambda: False)
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
            decodable = media.count_decodable(video, segment, plan.info)
            assert media.count_frames(job.output) in (segment.frames, decodable)
            parts.append(job.output)
        output = folder / "swapped.mp4"
        media.join(parts=parts, sound=sound, plan=plan, output=output, stopped=lambda: False)
    except Exception as error:
        raise AssertionError(f"{video.name} was accepted, then failed: {error}") from error
    return Swapped(output=output, plan=plan, notes=notes)
