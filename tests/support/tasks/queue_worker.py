"""A process that runs the work of the durable queue, and prints what it does."""

import signal
import subprocess
import sys
from collections.abc import Sequence

WORKER = """
import sys, threading
from facecli.core.errors import Unavailable
from facecli.metadata.database import translate_errors
from facecli.queue.runner import DbosTaskRunner

url, name, mode, interval, *engines = sys.argv[1:]

def run(task_id):
    print("began", task_id, flush=True)
    if mode == "wait":
        sys.stdin.readline()
    if mode == "hang":
        threading.Event().wait()
    print("ended", task_id, flush=True)

DbosTaskRunner(
    url, worker=name, engines=engines, run=run, errors=translate_errors, reconcile_interval=float(interval)
)
threading.Event().wait()
"""


class Worker:
    """A worker process that prints what it does."""

    def __init__(
        self,
        url: str,
        name: str,
        mode: str,
        engines: Sequence[str] = ("mock",),
        *,
        reconcile_interval: float = 2.0,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, name, mode, str(reconcile_interval), *engines],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read_line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def proceed(self) -> None:
        """Let a waiting worker go on."""
        assert self._process.stdin
        self._process.stdin.close()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
