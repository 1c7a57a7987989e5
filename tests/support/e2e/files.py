"""Large files, their checksums, and a slowed-down ffmpeg."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

MIB = 1024 * 1024


def make_file(path: Path, *, mib: int) -> Path:
    """Write random bytes in which no two MiB are equal, so that a misplaced chunk is noticed."""
    noise = os.urandom(MIB)
    with path.open("wb") as file:
        for index in range(mib):
            file.write(index.to_bytes(8, "big") + noise[8:])
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class PacedFfmpeg:
    """The real ffmpeg, encoding no faster than the video plays, so that any machine can interrupt it.

    For an engine that gets raw frames, it decodes no faster, but only after the first segment.
    """

    def __init__(self, real: Path, folder: Path) -> None:
        self._slow = folder / "slow"
        self._later = folder / "slow-after-the-first"
        self._slow.touch()
        # The sandbox lets a program run itself and the files in a `lib` beside its directory.
        library, program = folder / "lib" / "ffmpeg", folder / "bin" / "ffmpeg"
        library.parent.mkdir()
        program.parent.mkdir()
        os.link(real, library)
        program.write_text(
            "#!/bin/sh\n"
            'case "$*" in\n'
            f'*]overlay=*000000.mp4*) [ -e "{self._slow}" ] && exec "{library}" -re "$@" ;;\n'
            f'*]overlay=*) [ -e "{self._slow}" -o -e "{self._later}" ] && exec "{library}" -re "$@" ;;\n'
            f'*]trim=*start=*showinfo=checksum=0*) [ -e "{self._later}" ] && exec "{library}" -re "$@" ;;\n'
            "esac\n"
            f'exec "{library}" "$@"\n'
        )
        program.chmod(0o755)
        self.environment: Mapping[str, str] = {"FACECLI_FFMPEG": str(program)}

    def slow_down(self) -> None:
        """Pace the encodings that start from now on, as at first."""
        self._slow.touch()

    def slow_down_after_first_segment(self) -> None:
        """Pace the encodings of all segments but the first that start from now on."""
        self._later.touch()
        self._slow.unlink(missing_ok=True)

    def speed_up(self) -> None:
        """Let the encodings that start from now on run at full speed."""
        for file in (self._slow, self._later):
            file.unlink(missing_ok=True)
