"""WorkerEnd: the end of a worker process, for the owner of the task that it ran."""

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnd:
    """`description` completes the sentence "the worker …"; `hint` says a likely cause or cure, else empty."""

    description: str
    hint: str = ""


UNKNOWN = WorkerEnd(description="ended without returning its task")
LEASE_EXPIRED = WorkerEnd(description="stopped sending heartbeats")
UNRESPONSIVE = WorkerEnd(description="did not respond and was killed")
SHUTDOWN = WorkerEnd(description="was shut down")


def exited(status: int) -> WorkerEnd:
    """The end of a process by its return code, which is negative for a signal."""
    if status >= 0:
        return WorkerEnd(description=f"exited with code {status}", hint="see the log of the worker")
    if -status == signal.SIGKILL:
        return WorkerEnd(
            description="was killed by SIGKILL", hint="it may need more memory than the worker has"
        )
    return WorkerEnd(description=f"was ended by {_name(-status)}", hint="see the log of the worker")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
