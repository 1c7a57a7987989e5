"""The desktop's player."""

import shutil
import subprocess
import sys
from pathlib import Path

from facecli.config.environment import ENVIRONMENT
from facecli.core.errors import FacecliError

FAILS_WITHIN = 3.0  # seconds in which a program that cannot open the file ends; a player goes on running


def open_in_player(file: Path) -> None:
    """Open a file with the program that the desktop has for it; FacecliError names the file if none can."""
    program = "open" if sys.platform == "darwin" else "xdg-open"
    has_display = sys.platform == "darwin" or bool(
        ENVIRONMENT.get("DISPLAY") or ENVIRONMENT.get("WAYLAND_DISPLAY")
    )
    if not has_display:
        raise _failed(file, "there is no display")
    if not shutil.which(program):
        raise _failed(file, f"{program} is not installed")
    process = subprocess.Popen(
        [program, str(file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(FAILS_WITHIN)
    except subprocess.TimeoutExpired:
        process.returncode = 0  # it runs for as long as the user likes
        return
    if code:
        raise _failed(file, f"{program} failed with exit code {code}")


def _failed(file: Path, cause: str) -> FacecliError:
    return FacecliError(
        f"no player could be started: {cause}; the result is {file}",
        hint="open it on your desktop, or print a link for a browser with facecli task url ID",
    )
