"""Measure how soon watchers over HTTP see the changes of a task.

`python -m tests.support.web.load_watchers` holds `--watchers` WatchTasks streams by gRPC-Web open, changes a
task of their user in a process of its own, and prints the milliseconds from the commit of each change to its
arrival at each watcher.
"""

import argparse
import selectors
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.wire.generated import task_service_pb2 as pb
from tests.support.builders import NEW, claim
from tests.support.e2e.server import Server
from tests.support.sockets import free_port
from tests.support.web.http_client import raw, until
from tests.support.web.requests import framed, head

WATCH_TASKS = "/video.TaskService/WatchTasks"
PAUSE = 0.25  # seconds between two changes
SHARES = {"min": 0.0, "median": 0.5, "p95": 0.95, "p99": 0.99, "max": 0.99999}
WAIT = 10.0  # seconds for a change to arrive everywhere


def watcher(url: str) -> socket.socket:
    """A stream of all tasks of the user, behind its first message."""
    message = framed(pb.WatchTasksRequest(user_id=NEW.owner, all=True).SerializeToString())
    stream = raw(url, head(WATCH_TASKS, length=len(message), kind="application/grpc-web+proto") + message)
    until(stream, b"\r\n\r\n")
    return stream


def delays(repository: TaskRepository, streams: list[socket.socket], frames: int) -> list[float]:
    """Change the task; the seconds until each watcher has received something."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        progress = partial(transitions.advance, run="r1", stage="swapping", frames_done=frames)
        repository.change("t1", partial(progress, progress=1, frames=10**6), now=time.time())
        changed, found, waiting = time.monotonic(), list[float](), set(streams)
        while waiting and time.monotonic() < changed + WAIT:
            for key, _ in selector.select(WAIT):
                assert isinstance(key.fileobj, socket.socket)
                assert key.fileobj.recv(65536), "a stream has ended"
                if key.fileobj in waiting:
                    waiting.discard(key.fileobj)
                    found.append(time.monotonic() - changed)
    assert not waiting, f"{len(waiting)} watchers received nothing"
    return found


def drain(streams: list[socket.socket]) -> None:
    """Drop what has arrived."""
    for stream in streams:
        with suppress(BlockingIOError):
            while stream.recv(65536):
                pass


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--changes", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data, address = Path(folder) / "data", f"127.0.0.1:{free_port()}"
        stack.enter_context(Server(data, options=["--workers", "0", "--http", address]))
        engine = open_database(f"sqlite:///{data}/facecli.db")
        stack.callback(engine.dispose)
        repository = SqlTaskRepository(engine)
        repository.insert(NEW, task_id="t1", now=time.time())
        claim(repository)
        url = f"http://{address}"
        streams = [stack.enter_context(watcher(url)) for _ in range(arguments.watchers)]
        for stream in streams:
            stream.setblocking(False)
        time.sleep(1)  # for the first messages
        found = list[float]()
        for number in range(arguments.changes):
            drain(streams)
            found += delays(repository, streams, number + 1)
            time.sleep(PAUSE)
    milliseconds = sorted(1000 * each for each in found)
    share = {name: milliseconds[int(len(milliseconds) * at)] for name, at in SHARES.items()}
    sys.stdout.write(f"{len(found)} changes seen by {arguments.watchers} watchers, in ms: ")
    sys.stdout.write(", ".join(f"{name} {value:.1f}" for name, value in share.items()) + "\n")


if __name__ == "__main__":
    main()
