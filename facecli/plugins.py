"""The public API for engine plug-ins, and the only module of facecli that one imports.

A plug-in is a package with a class that follows `Engine`, declared as an entry point of the group
`facecli.engines`. The class is called with a `Media`, which reads and writes video and pictures. Names
outside this module and `facecli.testing` may change in any release.
"""

from facecli.core.errors import (
    Cancelled,
    DiskFull,
    FacecliError,
    FfmpegMissing,
    InvalidInput,
    MediaRefused,
    NoFace,
    NotConfigured,
    NothingSwapped,
    NotReady,
    ProgramKilled,
    Unavailable,
)
from facecli.core.video.engine_options import EngineOption, OptionType, parse_options
from facecli.core.video.engines import (
    DescribedEngine,
    Engine,
    PrepareJob,
    PreparingEngine,
    StartingEngine,
    SwapJob,
    WeighedEngine,
)
from facecli.core.video.frames import FrameFilter, FrameLayout, Picture, SandboxedProgram
from facecli.core.video.media import (
    FramesJob,
    ImageInfo,
    Media,
    OverlayJob,
    Segment,
    Sound,
    VideoInfo,
    VideoPlan,
)
from facecli.core.video.placement import Box, Oscillation, Placement
from facecli.core.video.plan import VideoPart

__all__ = [
    "Box",
    "Cancelled",
    "DescribedEngine",
    "DiskFull",
    "Engine",
    "EngineOption",
    "FacecliError",
    "FfmpegMissing",
    "FrameFilter",
    "FrameLayout",
    "FramesJob",
    "ImageInfo",
    "InvalidInput",
    "Media",
    "MediaRefused",
    "NoFace",
    "NotConfigured",
    "NotReady",
    "NothingSwapped",
    "OptionType",
    "Oscillation",
    "OverlayJob",
    "Picture",
    "Placement",
    "PrepareJob",
    "PreparingEngine",
    "ProgramKilled",
    "SandboxedProgram",
    "Segment",
    "Sound",
    "StartingEngine",
    "SwapJob",
    "Unavailable",
    "VideoInfo",
    "VideoPart",
    "VideoPlan",
    "WeighedEngine",
    "parse_options",
]
