"""Lines to a server that a test can hold, and what every upload over a bad one must keep to."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.chaos.events import Direction, EventKind
from facecli.chaos.proxy import Proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import DEADLINE, Done
from tests.support.e2e.server import Server

CHUNK = MIB
OVERHEAD = 1.02  # bytes on the line for one of a file
TALK = 64 * 1024  # bytes on the line that belong to no file


@contextmanager
def held(server: str, *, after: int) -> Iterator[Proxy]:
    """The first `after` bytes towards the server pass; the rest waits until it is released, or is lost."""
    with Proxy(server) as proxy:
        proxy.hold(Direction.SERVER, after=after)
        yield proxy


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process neither runs nor ends, and its connections stay open."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def command(path: Path, line: str, user: str) -> tuple[object, ...]:
    """An upload in chunks of a MiB that says everything in JSON."""
    talk = ("--progress", "json", "--json")
    return ("upload", path, "--server", line, "--user", user, "--chunk-size", CHUNK, *talk)


def wait_until_stored(server: Server, user: str, name: str, enough: int) -> int:
    """Ask the server, not the client, until it has that much; how much it has."""
    until = time.monotonic() + DEADLINE
    while (stored := server.uploads(user).get(name, 0)) < enough:
        assert time.monotonic() < until, f"{stored} of {enough} bytes"
        time.sleep(0.02)
    return stored


def check_upload(done: Done, server: Server, path: Path, user: str) -> None:
    """It ended well, the bytes are right, and the bar never went back."""
    assert done.code == 0, done
    assert server.sha256(done.object["file_url"], user) == sha256(path)
    assert said(done) == sorted(said(done))
    assert said(done)[-1] == done.object["size"] == path.stat().st_size


def check_sent_once(done: Done, line: Proxy) -> None:
    """On the connection that came after the last break, nothing was sent that was acknowledged before it."""
    waits = [number for number, event in enumerate(done.events) if event.get("event") == "waiting"]
    assert waits
    acknowledged = max(said(done, until=waits[-1]), default=0)
    last = line.passed(Direction.SERVER) - line.events_of(EventKind.OPENED)[-1].total_to_server
    assert last <= (done.object["size"] - acknowledged) * OVERHEAD + TALK


def said(done: Done, *, until: int | None = None) -> list[int]:
    """What the bar showed as stored, one after the other, in the events before that one."""
    return [event["stored"] for event in done.events[:until] if event.get("event") == "stored"]


def reasons(done: Done) -> list[str]:
    """Why it waited."""
    return [event["reason"] for event in done.events if event.get("event") == "waiting"]
