"""A program run without the sandbox, within resource limits alone, to show that the sandbox has an effect."""

import subprocess
from collections.abc import Sequence

from facecli.media.run import ProcessLimits


def run_unsandboxed(command: Sequence[str], limits: ProcessLimits) -> str:
    """Run the program, at most for its time limit; return its stderr."""
    limited = ["sh", "-c", f'ulimit -v {limits.memory // 1024}; exec "$@"', "sh", *command]
    try:
        done = subprocess.run(
            limited,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.seconds,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as timeout:
        return (timeout.stderr or b"").decode(errors="replace")
    return done.stderr.decode(errors="replace")
