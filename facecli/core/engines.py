"""What an engine is: one call that turns a face and a segment of a video into the swapped segment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from facecli.core.media import Segment, VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One piece of work: local files to read, one to write, and the engine's own options.

    `output` lies in a directory of this run's own, where an engine may keep what it needs meanwhile.
    """

    face: Path
    video: Path
    segment: Segment
    output: Path
    info: VideoInfo
    options: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Knows pictures, not argument lists, networks or rows. Its constructor takes a `core.media.Media`.

    Another `version` makes other pictures: segments of an earlier one are not joined with its own.
    """

    name: str
    version: str
    needs: Sequence[str]  # what has to be there, for people: ffmpeg, a GPU, a model

    def check(self, options: Mapping[str, str]) -> None:
        """InvalidInput for options it does not know."""
        ...

    def swap(self, swap: Swap, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        """Write `swap.output`: H.264 in an MP4 without sound, the segment's frames in order, the first at 0.

        `progress` gets the number of the segment's frames done. Cancelled when `stopped` said yes.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEngine:
    """What is known of an engine without using it. `broken` is why it cannot be used, empty when it can."""

    name: str
    version: str
    package: str  # that brings it
    needs: tuple[str, ...]
    broken: str


class Engines(Protocol):
    """The engines of this installation."""

    def names(self) -> list[str]: ...

    def get(self, name: str) -> Engine:
        """InvalidInput, with the names there are, for an unknown one."""
        ...
