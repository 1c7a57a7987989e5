"""A program with nothing between it and the machine but the limits, to show what the walls hold back."""

import subprocess
from collections.abc import Sequence

from facecli.media.run import Bounds


def run_unwalled(command: Sequence[str], bounds: Bounds) -> str:
    """What it said of its errors; stopped when its time is over."""
    limited = ["sh", "-c", f'ulimit -v {bounds.memory // 1024}; exec "$@"', "sh", *command]
    try:
        done = subprocess.run(
            limited,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=bounds.seconds,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return (late.stderr or b"").decode(errors="replace")
    return done.stderr.decode(errors="replace")
