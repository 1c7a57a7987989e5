"""The supervisor, with real processes."""

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from facecli.core.errors import Unavailable
from facecli.core.events import Event, FramesSwapped
from facecli.tasks.worker_end import WorkerEnd
from facecli.worker.supervisor import Supervisor
from tests.support.eventually import eventually

CHILD = """
import os, sys
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
sys.stdin.buffer.read()
"""
PINGING_CHILD = """
import os, sys
from facecli.worker.process import ShutdownSignal
shutdown = ShutdownSignal(with_stdin=True)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
shutdown.wait()
"""
TELLING_CHILD = """
import os, signal, sys
from facecli.core.events import FramesSwapped
from facecli.worker.process import ShutdownSignal
shutdown = ShutdownSignal(with_stdin=True)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
for frames in range(1, 101):
    shutdown.supervisor(FramesSwapped(task_id="t1", engine="mock", frames=frames))
os.kill(os.getpid(), signal.SIGKILL)
"""
SLOW_CHILD = """
import os, sys, time
from facecli.tasks.leases import MISSED_HEARTBEATS
from facecli.worker.process import PING_INTERVAL, ShutdownSignal
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep((MISSED_HEARTBEATS + 1) * PING_INTERVAL)
shutdown = ShutdownSignal(with_stdin=True)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
shutdown.wait()
"""


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    """A FIFO to which every child writes its pid."""
    path = tmp_path / "pids"
    os.mkfifo(path)
    return path


@contextmanager
def supervised(
    pids: Path,
    crashes: "queue.Queue[str]",
    *,
    child: str = CHILD,
    fail: bool = False,
    not_at: Collection[int] = (),
    publish: Callable[[Event], None] = lambda event: None,
) -> Iterator[Iterator[int]]:
    """Run a supervisor. `fail`: recovery fails. `not_at`: the starts that fail, counted from 0."""
    starts = count()

    def crashed(name: str, end: WorkerEnd) -> None:
        crashes.put(f"{name} {end.description}")
        if fail:
            raise Unavailable("no database")

    def command(name: str) -> list[str]:
        python = "/nowhere/python" if next(starts) in not_at else sys.executable
        return [python, "-c", child, str(pids)]

    supervisor = Supervisor(
        names=["worker-1"],
        command=command,
        environment=dict(os.environ),
        crashed=crashed,
        publish=publish,
    )
    reader = os.open(pids, os.O_RDWR)
    supervisor.start()
    try:
        with os.fdopen(reader) as lines:
            yield (int(line) for line in lines)
    finally:
        supervisor.stop(10)


def test_a_crash_is_reported_before_the_restart(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes) as started:
        first = next(started)
        os.kill(first, signal.SIGKILL)
        assert crashes.get(timeout=60) == "worker-1 was killed by SIGKILL"
        assert next(started) != first


def test_a_failed_recovery_does_not_prevent_the_restart(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes, fail=True) as started:
        os.kill(next(started), signal.SIGKILL)
        assert next(started)


def test_a_suspended_worker_is_killed_and_replaced(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes, child=PINGING_CHILD) as started:
        suspended = next(started)
        os.kill(suspended, signal.SIGSTOP)
        assert crashes.get(timeout=60) == "worker-1 did not respond and was killed"
        assert not Path(f"/proc/{suspended}").exists()
        assert next(started) != suspended


def test_a_worker_that_is_slow_to_start_is_left_alone(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes, child=SLOW_CHILD) as started:
        assert next(started) == next(started)
        assert crashes.empty()


@pytest.mark.slow
@pytest.mark.parametrize("not_at", [{0}, {1, 2}], ids=["at first", "after a crash"])
def test_a_failed_start_is_retried(pids: Path, not_at: set[int]) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes, not_at=not_at) as started:
        os.kill(next(started), signal.SIGKILL)
        assert next(started)


def test_all_events_of_a_killed_worker_arrive_before_its_crash_is_reported(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    published: list[Event] = []
    killed = threading.Event()

    def publish(event: Event) -> None:
        killed.wait(60)  # until then all others wait in the socket
        published.append(event)

    with supervised(pids, crashes, child=TELLING_CHILD, publish=publish) as started:
        stat = Path(f"/proc/{next(started)}/stat")
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z")
        killed.set()
        assert crashes.get(timeout=60) == "worker-1 was killed by SIGKILL"
        frames = [event.frames for event in published[:100] if isinstance(event, FramesSwapped)]
    assert frames == list(range(1, 101))


def test_stopping_ends_all_workers_and_reports_no_crash(pids: Path) -> None:
    crashes: queue.Queue[str] = queue.Queue()
    with supervised(pids, crashes) as started:
        pid = next(started)
    assert not Path(f"/proc/{pid}").exists()
    assert crashes.empty()
