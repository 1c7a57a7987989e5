"""Large files made quickly, their checksums, and an ffmpeg that takes its time."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

MIB = 1024 * 1024


def make_file(path: Path, *, mib: int) -> Path:
    """Random bytes, every MiB different from the others, so that none can stand in another's place."""
    noise = os.urandom(MIB)
    with path.open("wb") as file:
        for number in range(mib):
            file.write(number.to_bytes(8, "big") + noise[8:])
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class PacedFfmpeg:
    """The real ffmpeg, which encodes no faster than the video plays, until `hurry`.

    So a test finds it running, however fast the machine is.
    """

    def __init__(self, real: Path, folder: Path) -> None:
        self._slow = folder / "slow"
        self._slow.touch()
        # Confined, it may run itself and what lies in a `lib` beside its own directory.
        library, program = folder / "lib" / "ffmpeg", folder / "bin" / "ffmpeg"
        library.parent.mkdir()
        program.parent.mkdir()
        shutil.copy2(real, library)
        program.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *]overlay=*) [ -e "{self._slow}" ] && exec "{library}" -re "$@" ;; esac\n'
            f'exec "{library}" "$@"\n'
        )
        program.chmod(0o755)
        self.environment: Mapping[str, str] = {"FACECLI_FFMPEG": str(program)}

    def slow_down(self) -> None:
        """As at the beginning."""
        self._slow.touch()

    def hurry(self) -> None:
        """What is started from now on runs as fast as it can."""
        self._slow.unlink(missing_ok=True)
