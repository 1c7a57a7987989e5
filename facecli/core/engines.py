"""What an engine is: one call that turns a face and a video into the swapped video."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from facecli.core.media import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One piece of work: local files to read, one to write, and the engine's own options."""

    face: Path
    video: Path
    output: Path
    info: VideoInfo
    options: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Knows pictures, not argument lists, networks or rows. Its constructor takes a `core.media.Media`."""

    name: str
    version: str

    def check(self, options: Mapping[str, str]) -> None:
        """InvalidInput for options it does not know."""
        ...

    def swap(self, swap: Swap, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        """Write `swap.output`, an MP4 with the video's frames, rate and sound.

        `progress` gets the number of frames done. Cancelled when `stopped` said yes: nothing is left behind.
        """
        ...


class Engines(Protocol):
    """The engines of this installation."""

    def names(self) -> list[str]: ...

    def get(self, name: str) -> Engine:
        """InvalidInput, with the names there are, for an unknown one."""
        ...
