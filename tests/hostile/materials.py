"""Where hostile files are made: what they point at, and the good material that they are made of."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Site:
    """`ffmpeg` and `folder` to make files with, a good clip and face, and the traps to walk into."""

    ffmpeg: Path
    folder: Path
    clip: bytes  # MP4, H.264 and AAC, 25 frames of 160 × 120
    face: bytes  # PNG
    video: Path  # somebody else's
    text: Path  # somebody else's too
    upload: Path  # and where a server keeps one of somebody else's
    address: str  # HOST:PORT that tells when it is called

    def made(self, name: str, *options: str) -> bytes:
        """What ffmpeg writes with these options."""
        path = self.folder / name
        command = [str(self.ffmpeg), "-nostdin", "-v", "error", "-y", *options, str(path)]
        subprocess.run(command, check=True, cwd=self.folder)
        return path.read_bytes()

    def remade(self, name: str, *options: str) -> bytes:
        """Ten frames of the clip, written with these options."""
        return self.made(name, "-i", self.kept("clip.mp4", self.clip), "-t", "0.4", *options)

    def kept(self, name: str, data: bytes) -> str:
        """The path of a file with these bytes, for `made`."""
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)


Make = Callable[[Site], bytes]


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A file; why it is refused, as a pattern, or nothing: then a task with it has a right result."""

    name: str
    make: Make
    why: str = ""
    sure: bool = True  # False: some versions of ffmpeg refuse it and others do not


def refused(name: str, make: Make, why: str) -> Hostile:
    return Hostile(name=name, make=make, why=why)


def either(name: str, make: Make, why: str) -> Hostile:
    return Hostile(name=name, make=make, why=why, sure=False)


def taken(name: str, make: Make) -> Hostile:
    return Hostile(name=name, make=make)


def remade(name: str, *options: str) -> Make:
    return lambda site: site.remade(name, *options)
