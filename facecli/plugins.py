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
    NotReady,
    ProgramKilled,
    Unavailable,
)
from facecli.core.video.engines import Engine, StartingEngine, SwapJob
from facecli.core.video.media import ImageInfo, Media, OverlayJob, Segment, Sound, VideoInfo, VideoPlan
from facecli.core.video.placement import Box, Oscillation, Placement

__all__ = [
    "Box",
    "Cancelled",
    "DiskFull",
    "Engine",
    "FacecliError",
    "FfmpegMissing",
    "ImageInfo",
    "InvalidInput",
    "Media",
    "MediaRefused",
    "NotReady",
    "Oscillation",
    "OverlayJob",
    "Placement",
    "ProgramKilled",
    "Segment",
    "Sound",
    "StartingEngine",
    "SwapJob",
    "Unavailable",
    "VideoInfo",
    "VideoPlan",
]
