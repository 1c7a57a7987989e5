"""The materials of hostile files: valid media to alter, and targets to point at."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Materials:
    """Tools and valid media to make files from, and the tripwires that they point at."""

    ffmpeg: Path
    folder: Path
    clip: bytes  # MP4, H.264 and AAC, 25 frames of 160 × 120
    face: bytes  # PNG
    video: Path  # of another user
    text: Path  # of another user
    upload: Path  # of another user, in the server's data directory
    address: str  # HOST:PORT that reports connections

    def run_ffmpeg(self, name: str, *options: str) -> bytes:
        """Return the file that ffmpeg writes with these options."""
        path = self.folder / name
        command = [str(self.ffmpeg), "-nostdin", "-v", "error", "-y", *options, str(path)]
        subprocess.run(command, check=True, cwd=self.folder)
        return path.read_bytes()

    def reencode(self, name: str, *options: str) -> bytes:
        """Return ten frames of the clip, written with these options."""
        return self.run_ffmpeg(name, "-i", self.write("clip.mp4", self.clip), "-t", "0.4", *options)

    def write(self, name: str, data: bytes) -> str:
        """Write a file for `run_ffmpeg` to read; return its path."""
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)


FileFactory = Callable[[Materials], bytes]


@dataclass(frozen=True, kw_only=True)
class HostileFile:
    """A file and the reason for its refusal, a pattern; without one, a task with it succeeds."""

    name: str
    make: FileFactory
    reason: str = ""
    certain: bool = True  # False: only some versions of ffmpeg refuse it


def refused(name: str, make: FileFactory, reason: str) -> HostileFile:
    return HostileFile(name=name, make=make, reason=reason)


def either(name: str, make: FileFactory, reason: str) -> HostileFile:
    return HostileFile(name=name, make=make, reason=reason, certain=False)


def accepted(name: str, make: FileFactory) -> HostileFile:
    return HostileFile(name=name, make=make)


def reencoded(name: str, *options: str) -> FileFactory:
    return lambda materials: materials.reencode(name, *options)
