"""Raw frames, as engines receive and return them, and the interface to programs that work on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLayout:
    """The planes of a frame, one after the other without padding: luma, blue and red difference.

    Samples of more than 8 bits take two bytes, the low one first.
    """

    width: int
    height: int
    bits: int = 8  # per sample, 8 or 10
    column_step: int = (
        2  # pixels that share a colour: 2 and 2 are 4:2:0, 2 and 1 are 4:2:2, 1 and 1 are 4:4:4
    )
    row_step: int = 2
    matrix: str = ""  # of colours, by ffmpeg's name; empty when the video does not declare it
    full_range: bool = False

    @property
    def color_size(self) -> tuple[int, int]:
        """Width and height of the two planes of colour."""
        return -(-self.width // self.column_step), -(-self.height // self.row_step)

    @property
    def frame_bytes(self) -> int:
        columns, rows = self.color_size
        return (self.width * self.height + 2 * columns * rows) * (1 if self.bits == 8 else 2)


Planes = bytearray | memoryview  # of one frame


class FrameFilter(Protocol):
    """Rewrites the frames of one segment. It may hold some back, and returns its own frames in order.

    A frame that it returned is the caller's until the next call.
    """

    def push(self, planes: bytearray, *, own: bool) -> Iterable[Planes]:
        """Take the next frame, which now belongs to the filter; return those that are done.

        `own` is false for a frame before or after the segment, which is never returned.
        """
        ...

    def finish(self) -> Iterable[Planes]:
        """Return the frames that were held back."""
        ...


@runtime_checkable
class BufferedFilter(FrameFilter, Protocol):
    """A filter that has room for frames, so that they need not be copied to it."""

    def buffer(self) -> memoryview:
        """Return the place for the next frame."""
        ...

    def push_buffered(self, *, own: bool) -> Iterable[Planes]:
        """As `push`, for the frame that was written to the `buffer`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedMemory:
    """Bytes that this process and a program share; the program has the file as an open descriptor."""

    descriptor: int
    view: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture in sRGB: three bytes a pixel, red first, row by row."""

    width: int
    height: int
    pixels: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResult:
    """The end of a program; `error_text` is its last errors, short and printable."""

    exit_code: int  # negative for a signal
    error_text: str


class SandboxedProgram(Protocol):
    """A running program that is confined as ffmpeg is, with a pipe to its stdin and one from its stdout.

    `memory` is what it shares with this process, if that was asked for and the system can do it.

    Every call raises Cancelled when the work is cancelled, and FacecliError when the program lets nothing
    through for too long.
    """

    @property
    def memory(self) -> SharedMemory | None: ...

    def write(self, data: bytes | bytearray | memoryview) -> bool:
        """Write all of it; False when the program reads no more, as after its end."""
        ...

    def read(self, size: int) -> bytearray:
        """Return exactly `size` bytes; fewer only at the end of its output."""
        ...

    def wait(self) -> ProcessResult:
        """Close its stdin, and wait for its end; ProgramKilled if it was killed from outside."""
        ...
