"""A sample face and clip, and a check of the result that they give."""

from pathlib import Path

from facecli.core.errors import BytesDiffer
from facecli.core.video.likeness import Likeness
from facecli.core.video.media import Media


def make_samples(media: Media, folder: Path, *, seconds: int) -> tuple[Path, Path]:
    """Write a drawn face and a moving clip with sound; return their paths."""
    face, clip = folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(clip, seconds=seconds, width=1280, height=720)
    return face, clip


def check_result(media: Media, *, video: Path, result: Path) -> str:
    """Describe a result with the video's frames, size, length and sound; BytesDiffer for any other."""
    before, after = media.probe_video(video), media.probe_video(result)
    same = (before.frames, before.width, before.height) == (after.frames, after.width, after.height)
    same_length = abs(before.duration - after.duration) <= 1 / before.rate
    if not same or not same_length or bool(before.sound) != bool(after.sound):
        raise BytesDiffer(f"{result} does not match {video}: it has {after}, expected {before}")
    return (
        f"checked: {after.frames} frames of {after.width} × {after.height}, {after.duration:.2f} s, "
        f"{after.codec} and {after.sound or 'no sound'}, as in the clip"
    )


def check_likeness(likeness: Likeness, *, photo: Path, result: Path) -> str:
    """Describe a result that shows the person of the photo; BytesDiffer for any other."""
    if not likeness.swapped:
        raise BytesDiffer(f"the face in {result} does not resemble {photo}: {likeness.text}")
    return f"checked: the face resembles {photo.name}: {likeness.text}"
