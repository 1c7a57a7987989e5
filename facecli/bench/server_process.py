"""The server process of a bench: a whole server with its workers."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection as Pipe
from typing import TYPE_CHECKING, Any

from facecli.bench.messages import KILL
from facecli.bench.usage import usage
from facecli.telemetry.logs import set_up_logging

if TYPE_CHECKING:
    from facecli.bootstrap.server import Running

RunServer = Callable[[], AbstractContextManager["Running"]]


def serve(pipe: "Pipe[Any, Any]", run_server: RunServer) -> None:
    """Send the address, then answer KILL (kill the workers) with the time and GO with the usage."""
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
