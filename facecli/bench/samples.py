"""A face and a clip to try facecli with, and whether its result is what it should be."""

from pathlib import Path

from facecli.core.errors import BytesDiffer
from facecli.core.media import Media


def make_samples(media: Media, folder: Path, *, seconds: int) -> tuple[Path, Path]:
    """A drawn face and a moving clip with sound, made on the spot."""
    face, clip = folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(clip, seconds=seconds, width=1280, height=720)
    return face, clip


def check_result(media: Media, *, video: Path, result: Path) -> str:
    """A sentence about a result with the video's frames, size, length and sound; BytesDiffer otherwise."""
    was, now = media.probe_video(video), media.probe_video(result)
    same = (was.frames, was.width, was.height) == (now.frames, now.width, now.height)
    if not same or abs(was.duration - now.duration) > 1 / was.rate or bool(was.sound) != bool(now.sound):
        raise BytesDiffer(f"{result} is not what {video} should have become: {now}, not {was}")
    return (
        f"checked: {now.frames} frames of {now.width} × {now.height}, {now.duration:.2f} s, "
        f"{now.codec} and {now.sound or 'no sound'}, as in the clip"
    )
