"""Media by ffmpeg and Pillow."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from facecli.core.errors import InvalidInput, MediaRefused
from facecli.core.video.frames import FrameLayout, Picture, SandboxedProgram
from facecli.core.video.media import CLIP_RATE, FramesJob, ImageInfo, MediaLimits, OverlayJob, never
from facecli.core.video.plan import WHOLE, Segment, VideoInfo, VideoPart, VideoPlan
from facecli.core.video.sheet import SHEET_FRAMES, Comparison
from facecli.media import images
from facecli.media.commands import clip_command
from facecli.media.find import ffmpeg_version, find_ffmpeg
from facecli.media.frames.commands import frame_layout
from facecli.media.frames.piped_program import piped
from facecli.media.frames.rewrite import OpenFilter, rewrite_frames
from facecli.media.frames.samples import sample_frames
from facecli.media.join import join_segments
from facecli.media.overlay import count_decodable, write_overlay
from facecli.media.probe import count_frames, plan_video, probe_video
from facecli.media.run import ProcessLimits, run
from facecli.media.sample_face import draw_face
from facecli.media.samples import portraits
from facecli.media.sandbox import gpu as gpu_needs
from facecli.media.sheet.compose import compose_sheet
from facecli.media.sound import SoundExtraction

BASE_TIMEOUT_SECONDS = 900  # for encoding a file of any length
FRAME_TIMEOUT_SECONDS = 1.0  # more for each frame; a 4K frame takes about 0.1 on two cores
PROGRAM_IDLE_SECONDS = 60.0  # without a byte from or to an engine's program that is waited for

_PROGRAM_LIMITS = ProcessLimits(seconds=24 * 3600, memory=4 * 1024**3, file_size=0)


class FfmpegMedia:
    """Finds ffmpeg on first use: `wanted`, else the one on PATH, else that of the imageio-ffmpeg package.

    `segment_megapixels` is the size of a segment: 1500 are a minute of 720p, half a minute for two cores.
    """

    def __init__(
        self,
        *,
        wanted: str | None = None,
        limits: MediaLimits | None = None,
        segment_megapixels: int = 1500,
    ) -> None:
        self._wanted = wanted
        self._limits = limits or MediaLimits()
        self._segment_megapixels = segment_megapixels

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

    def probe_video(self, path: Path, *, stopped: Callable[[], bool] = never) -> VideoInfo:
        return probe_video(self._binary, path, self._limits, stopped=stopped)

    def probe_image(self, path: Path, *, stopped: Callable[[], bool] = never) -> ImageInfo:
        return images.probe_image(path, self._limits, stopped=stopped)

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        images.fit_picture(source, target, width=width, height=height, limits=self._limits)

    def read_picture(self, path: Path, *, max_side: int, stopped: Callable[[], bool] = never) -> Picture:
        return images.read_picture(path, self._limits, max_side=max_side, stopped=stopped)

    def start(
        self,
        command: Sequence[str],
        *,
        reads: Sequence[Path],
        name: str,
        max_unread: int,
        gpu: bool = False,
        memory: int = 0,
        stopped: Callable[[], bool],
    ) -> AbstractContextManager[SandboxedProgram]:
        return piped(
            command,
            limits=_gpu_limits() if gpu else _PROGRAM_LIMITS,
            reads=(*reads, *gpu_needs.READS) if gpu else reads,
            stopped=stopped,
            name=name,
            idle_seconds=PROGRAM_IDLE_SECONDS,
            memory=memory,
            max_unread=max_unread,
        )

    def plan(
        self, path: Path, *, part: VideoPart = WHOLE, stills: int | Sequence[int] = SHEET_FRAMES
    ) -> VideoPlan:
        megapixels = self._segment_megapixels
        return plan_video(
            self._binary, path, self._limits, part=part, stills=stills, segment_megapixels=megapixels
        )

    def overlay(
        self, job: OverlayJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        with _removed_on_failure(job.output):
            write_overlay(
                self._binary,
                job,
                limits=self._limits,
                process_limits=_process_limits(job.segment.before + job.segment.frames),
                progress=progress,
                stopped=stopped,
            )

    def rewrite_frames(
        self,
        job: FramesJob,
        *,
        open_filter: OpenFilter,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        with _removed_on_failure(job.output):
            rewrite_frames(
                self._binary,
                job,
                open_filter=open_filter,
                limits=self._limits,
                process_limits=_process_limits(job.segment.before + job.segment.frames),
                progress=progress,
                stopped=stopped,
            )

    def frame_layout(self, info: VideoInfo) -> FrameLayout:
        return frame_layout(info)

    def sample_frames(
        self, video: Path, info: VideoInfo, *, count: int, stopped: Callable[[], bool]
    ) -> Generator[bytearray, None, None]:
        return sample_frames(
            self._binary,
            video,
            info,
            count=count,
            limits=self._limits,
            process_limits=_process_limits(info.frames),
            stopped=stopped,
        )

    def count_frames(self, path: Path) -> int:
        return count_frames(self._binary, path, self._limits)

    def count_decodable(self, video: Path, segment: Segment, info: VideoInfo) -> int:
        limits = _process_limits(segment.before + segment.frames)
        return count_decodable(self._binary, video, segment, info, limits=self._limits, process_limits=limits)

    def extract_sound(
        self, video: Path, plan: VideoPlan, output: Path, *, stopped: Callable[[], bool]
    ) -> list[str]:
        with _removed_on_failure(output):
            return SoundExtraction(
                self._binary,
                video,
                plan,
                output,
                limits=self._limits,
                process_limits=_process_limits(plan.info.frames),
                stopped=stopped,
            ).run()

    def join(
        self,
        *,
        parts: Sequence[Path],
        sound: Path,
        plan: VideoPlan,
        output: Path,
        metadata: Mapping[str, str],
        stopped: Callable[[], bool],
    ) -> None:
        with _removed_on_failure(output):
            join_segments(
                self._binary,
                parts=parts,
                sound=sound,
                plan=plan,
                output=output,
                metadata=metadata,
                limits=self._limits,
                process_limits=_process_limits(plan.info.frames),
                stopped=stopped,
            )

    def compose_sheet(
        self, info: VideoInfo, comparisons: Sequence[Comparison], output: Path, *, stopped: Callable[[], bool]
    ) -> None:
        with _removed_on_failure(output):
            compose_sheet(self._binary, info, comparisons, output, limits=self._limits, stopped=stopped)

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        if seconds < 1 or width < 16 or height < 16 or width % 2 or height % 2:
            raise InvalidInput(
                f"a clip of {seconds} s and {width}x{height} pixels cannot be made: "
                "it lasts at least 1 s, and its sides are even and at least 16"
            )
        command = clip_command(self._binary, output=output, seconds=seconds, width=width, height=height)
        self._make_sample(command, output, seconds=seconds)

    def make_face(self, output: Path) -> None:
        draw_face(output)

    def make_portraits(self, folder: Path, *, seconds: int) -> tuple[Path, Path]:
        """Write the photo of a person, and a clip with sound of another, over whose photo a camera moves."""
        face, clip = folder / "face.jpg", folder / "clip.mp4"
        face.write_bytes(portraits.PHOTO.read_bytes())
        self._make_sample(portraits.clip_command(self._binary, clip, seconds), clip, seconds=seconds)
        return face, clip

    def _make_sample(self, command: Sequence[str], output: Path, *, seconds: int) -> None:
        with _removed_on_failure(output):
            limits = _process_limits(seconds * CLIP_RATE)
            result = run(command, limits=limits, reads=[portraits.FILMED], writes=[output.parent])
            if result.exit_code:
                raise MediaRefused(f"the clip cannot be made ({result.error_text})")


def _gpu_limits() -> ProcessLimits:
    memory, open_files = gpu_needs.MEMORY, gpu_needs.OPEN_FILES
    return replace(_PROGRAM_LIMITS, memory=memory, open_files=open_files, devices=gpu_needs.gpu_devices())


def _process_limits(frames: int) -> ProcessLimits:
    return ProcessLimits(seconds=BASE_TIMEOUT_SECONDS + FRAME_TIMEOUT_SECONDS * frames)


@contextmanager
def _removed_on_failure(output: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        output.unlink(missing_ok=True)
        raise
