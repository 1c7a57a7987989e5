"""The side of a bench that serves: a whole server in a process of its own."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection as Pipe
from typing import TYPE_CHECKING, Any

from facecli.bench.usage import usage
from facecli.telemetry.logs import set_up_logging

if TYPE_CHECKING:
    from facecli.bootstrap.server import Running

KILL = "kill"

Serving = Callable[[], AbstractContextManager["Running"]]


def serve_and_tell(pipe: "Pipe[Any, Any]", run_server: Serving) -> None:
    """Say the address, then what was used as often as somebody asks; KILL kills the worker and says when."""
    set_up_logging(level="error", format="text")
    with run_server() as running:
        pipe.send(running.address)
        while True:
            if pipe.recv() == KILL:
                for worker in running.workers():
                    os.kill(worker, signal.SIGKILL)
                pipe.send(time.time())
            else:
                pipe.send(usage())
