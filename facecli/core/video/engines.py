"""The engine interface: one call that turns a face and a segment of a video into the swapped segment."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from facecli.core.video.engine_options import EngineOption, file_urls
from facecli.core.video.figures import SwapFigures
from facecli.core.video.media import Segment, VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapJob:
    """One segment to swap: local files to read, one to write, and the engine's own options.

    The directory of `output` belongs to this run, and an engine may keep temporary files in it.
    """

    face: Path
    video: Path
    segment: Segment
    output: Path
    info: VideoInfo  # of the whole video
    options: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)  # from `prepare`, for the whole video
    stills: Collection[int] = ()  # frames that an engine passes on to `FramesJob`, if it has raw frames


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareJob:
    """A whole video, before any of it is swapped."""

    face: Path
    video: Path
    info: VideoInfo
    options: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)  # pictures that options name, by the option


class Engine(Protocol):
    """Swaps faces in pictures, independent of networks and tasks. Its constructor takes a `Media`.

    A change of `version` declares that the pictures change: segments of another version are swapped again.
    The properties may be plain attributes of a class.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def needs(self) -> Sequence[str]:
        """Requirements, for people to read: ffmpeg, a GPU, a model."""
        ...

    def check(self, options: Mapping[str, str]) -> None:
        """Validate options; InvalidInput for one that the engine does not know."""
        ...

    def swap(
        self, job: SwapJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> SwapFigures | None:
        """Write `job.output`: H.264 without sound in an MP4, the segment's frames in order, the first at 0.

        `progress` receives the number of the segment's frames done. Cancelled when `stopped` returned True.
        Return what became of the frames; None if the engine does not count.
        """
        ...


@runtime_checkable
class StartingEngine(Protocol):
    """An engine that not every machine can run. A worker starts it before it takes its tasks."""

    def start(self) -> str:
        """Load and try what the engine needs, and return how it runs here, as half a sentence.

        A FacecliError with the reason if this machine cannot run it; NotConfigured if it is not meant to.
        """
        ...


@runtime_checkable
class PreparingEngine(Protocol):
    """An engine that looks at the whole video once, so that its segments agree with each other."""

    def prepare(self, job: PrepareJob, *, stopped: Callable[[], bool]) -> Mapping[str, Any]:
        """Return what every `swap` of this video gets as `SwapJob.plan`; JSON values, kept over retries.

        MediaRefused when the face or the video cannot be used. Cancelled when `stopped` returned True.
        """
        ...


@runtime_checkable
class FaceCheckingEngine(Protocol):
    """An engine that can say whether it can use a picture, before a task is created."""

    def check_face(self, face: Path, *, stopped: Callable[[], bool]) -> None:
        """NoFace or another MediaRefused for a picture that it cannot use. Takes a second or two at most.

        Cancelled when `stopped` returned True.
        """
        ...


@runtime_checkable
class JudgingEngine(Protocol):
    """An engine that can reject a video after all of its segments are swapped."""

    def judge(self, figures: SwapFigures, options: Mapping[str, str]) -> None:
        """Raise the error that the task fails with, unless it is worth a result.

        `figures` are those of all segments.
        """
        ...


@runtime_checkable
class WeighedEngine(Protocol):
    """An engine that can name the weights of its networks, for the provenance record of a result."""

    def weights(self) -> Mapping[str, str]:
        """Return the sha256 of every file of weights, by its name."""
        ...


@runtime_checkable
class DescribedEngine(Protocol):
    """An engine that declares its options, for lists and forms; its `check` uses `parse_options`."""

    @property
    def options(self) -> Sequence[EngineOption]: ...


def named_files(engine: Engine, options: Mapping[str, str]) -> dict[str, str]:
    """The URLs of uploaded pictures that the options of an engine name, by the option."""
    return file_urls(engine.options, options) if isinstance(engine, DescribedEngine) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """An installed engine, usable or not. `broken` is the reason why it cannot be used, empty if it can.

    `unavailable` is the reason why this machine cannot run it, though servers accept tasks for it; `about` is
    how it runs here.
    """

    name: str
    version: str
    package: str  # that provides it
    needs: tuple[str, ...]
    broken: str
    options: tuple[EngineOption, ...] = ()
    unavailable: str = ""
    about: str = ""


class Engines(Protocol):
    """The engines of this installation."""

    def names(self) -> list[str]: ...

    def get(self, name: str) -> Engine:
        """Return the engine; InvalidInput, with the available names, for an unknown one."""
        ...
