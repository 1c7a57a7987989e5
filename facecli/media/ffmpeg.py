"""Media by ffmpeg and Pillow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from facecli.core.errors import InvalidInput, MediaRefused
from facecli.core.media import Box, ImageInfo, MediaLimits, VideoInfo
from facecli.media import commands, images
from facecli.media.face import draw_face
from facecli.media.find import ffmpeg_version, find_ffmpeg
from facecli.media.probe import probe_video
from facecli.media.run import Bounds, run

START_SECONDS = 900  # of patience with any encoding, whatever its length
FRAME_SECONDS = 1.0  # more for each frame; a 4K frame takes about 0.1 on two cores


class FfmpegMedia:
    """Looks for ffmpeg when it is first needed: `wanted`, else PATH, else the imageio-ffmpeg package."""

    def __init__(self, *, wanted: str | None = None, limits: MediaLimits | None = None) -> None:
        self._wanted = wanted
        self._limits = limits or MediaLimits()

    @cached_property
    def _found(self) -> tuple[Path, str]:
        binary = find_ffmpeg(self._wanted)
        return binary, ffmpeg_version(binary)

    @property
    def _binary(self) -> Path:
        return self._found[0]

    def version(self) -> str:
        binary, version = self._found
        return f"{version} ({binary})"

    def probe_video(self, path: Path) -> VideoInfo:
        return probe_video(self._binary, path, self._limits)

    def probe_image(self, path: Path) -> ImageInfo:
        return images.probe_image(path, self._limits)

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        images.fit_picture(source, target, width=width, height=height, limits=self._limits)

    def overlay(
        self,
        *,
        video: Path,
        picture: Path,
        box: Box,
        output: Path,
        info: VideoInfo,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        command = commands.overlay(
            self._binary,
            video=video,
            picture=picture,
            box=box,
            output=output,
            width=info.width,
            height=info.height,
            sound=info.sound,
            limits=self._limits,
        )

        def hear(line: str) -> None:
            done = commands.frames_done(line)
            if done is not None and done > self._limits.max_frames:
                raise MediaRefused(f"the video has more than {self._limits.max_frames} frames")
            if done is not None:
                progress(done)

        with _whole_or_nothing(output):
            ended = run(command, bounds=_patience(info.frames), stopped=stopped, on_output=hear)
            if ended.exit_code:
                raise MediaRefused(f"the video cannot be converted ({ended.words})")

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        if seconds < 1 or width < 16 or height < 16 or width % 2 or height % 2:
            raise InvalidInput(
                f"a clip of {seconds} s with {width}x{height} pixels: the sides must be even, from 16"
            )
        command = commands.clip(self._binary, output=output, seconds=seconds, width=width, height=height)
        with _whole_or_nothing(output):
            ended = run(command, bounds=_patience(seconds * commands.CLIP_RATE))
            if ended.exit_code:
                raise MediaRefused(f"the clip cannot be made ({ended.words})")

    def make_face(self, output: Path) -> None:
        draw_face(output)


def _patience(frames: int) -> Bounds:
    return Bounds(seconds=START_SECONDS + FRAME_SECONDS * frames)


@contextmanager
def _whole_or_nothing(output: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        output.unlink(missing_ok=True)
        raise
