"""Entry point of `facecli` and `python -m facecli`; answers `--version` without importing the commands."""

import signal
import sys

from facecli import __version__


def main() -> None:
    """Block Ctrl-C while the command line is imported; it is handled like any later one after that."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    from facecli.cli.app import main as run

    run()


def _print_version() -> bool:
    """Print the version; False when stdout cannot be written, which the command line then reports."""
    if sys.stdout is None:
        return False
    try:
        print(f"facecli {__version__}", flush=True)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
