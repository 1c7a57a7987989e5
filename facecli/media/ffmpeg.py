"""Media by ffmpeg and Pillow."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from facecli.core.errors import InvalidInput, MediaRefused
from facecli.core.media import CLIP_RATE, ImageInfo, MediaLimits, Segment, VideoInfo, VideoPlan
from facecli.core.placement import Placement
from facecli.media import commands, images
from facecli.media.find import ffmpeg_version, find_ffmpeg
from facecli.media.join import put_together
from facecli.media.overlay import count_shown, put_on
from facecli.media.probe import count_frames, plan_video, probe_video
from facecli.media.run import Bounds, run
from facecli.media.sample_face import draw_face

START_SECONDS = 900  # of patience with any encoding, whatever its length
FRAME_SECONDS = 1.0  # more for each frame; a 4K frame takes about 0.1 on two cores


class FfmpegMedia:
    """Looks for ffmpeg when it is first needed: `wanted`, else PATH, else the imageio-ffmpeg package.

    `work` is the megapixels of a segment: 1500 are a minute of 720p, and about ten seconds of two cores.
    """

    def __init__(
        self, *, wanted: str | None = None, limits: MediaLimits | None = None, work: int = 1500
    ) -> None:
        self._wanted = wanted
        self._limits = limits or MediaLimits()
        self._work = work

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

    def plan(self, path: Path) -> VideoPlan:
        return plan_video(self._binary, path, self._limits, work=self._work)

    def overlay(
        self,
        *,
        video: Path,
        segment: Segment,
        picture: Path,
        placement: Placement,
        output: Path,
        info: VideoInfo,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        with _whole_or_nothing(output):
            put_on(
                self._binary,
                video=video,
                segment=segment,
                picture=picture,
                placement=placement,
                output=output,
                info=info,
                limits=self._limits,
                bounds=_patience(segment.before + segment.frames),
                progress=progress,
                stopped=stopped,
            )

    def count_frames(self, path: Path) -> int:
        return count_frames(self._binary, path, self._limits)

    def count_shown(self, video: Path, segment: Segment, info: VideoInfo) -> int:
        bounds = _patience(segment.before + segment.frames)
        return count_shown(self._binary, video, segment, info, limits=self._limits, bounds=bounds)

    def join(
        self,
        *,
        video: Path,
        parts: Sequence[Path],
        plan: VideoPlan,
        output: Path,
        stopped: Callable[[], bool],
    ) -> None:
        with _whole_or_nothing(output):
            put_together(
                self._binary,
                video=video,
                parts=parts,
                plan=plan,
                output=output,
                limits=self._limits,
                bounds=_patience(plan.info.frames),
                stopped=stopped,
            )

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        if seconds < 1 or width < 16 or height < 16 or width % 2 or height % 2:
            raise InvalidInput(
                f"a clip of {seconds} s with {width}x{height} pixels: the sides must be even, from 16"
            )
        command = commands.clip(self._binary, output=output, seconds=seconds, width=width, height=height)
        with _whole_or_nothing(output):
            bounds = _patience(seconds * CLIP_RATE)
            ended = run(command, bounds=bounds, writes=[output.parent])
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
