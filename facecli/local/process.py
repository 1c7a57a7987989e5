"""The process of a local server: `python -m facecli.local.process DIR LOCK`.

LOCK is the descriptor of the lock that it holds until its end.
"""

import fcntl
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from facecli.config.environment import quiet_grpc
from facecli.config.loader import load
from facecli.core.errors import DiskFull, FacecliError
from facecli.local.directory import LocalDirectory, State, encoded
from facecli.telemetry.logs import set_up_logging


def main(directory: LocalDirectory, lock: int) -> int:
    """Serve until no command uses the server, or SIGTERM; the exit code."""
    quiet_grpc()
    settings = load({})
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.server import run_server
    from facecli.worker.process import ShutdownSignal

    ending = ShutdownSignal(with_stdin=False)
    try:
        with run_server(settings) as server:
            _report(lock, State(address=server.address, pid=os.getpid()))
            commands = directory.open(directory.commands)
            threading.Thread(target=_end_when_unused, args=(commands,), daemon=True).start()
            ending.wait()
    except FacecliError as error:
        _report_to_starter(State(error=error))
        with suppress(OSError):  # of a disk that is full: the commands that wait start another process
            os.pwrite(lock, encoded(State(error=error)), 0)
        return 1
    except OSError as error:
        _report_to_starter(State(error=DiskFull(f"{directory.path}: {error.strerror}")))
        return 1
    return 0


def _report(lock: int, state: State) -> None:
    """Report to the command that started this process, and to those that find it later."""
    os.pwrite(lock, encoded(state), 0)
    _report_to_starter(state)


def _report_to_starter(state: State) -> None:
    with suppress(BrokenPipeError):  # it has ended meanwhile
        os.write(sys.stdout.fileno(), encoded(state))


def _end_when_unused(commands: int) -> None:
    """End this process when no command holds the lock any more; it keeps the lock until then."""
    fcntl.flock(commands, fcntl.LOCK_EX)
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(LocalDirectory(Path(sys.argv[1])), int(sys.argv[2])))
