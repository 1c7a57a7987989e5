"""Network faults on demand: a proxy that holds back bytes, and a process that stands still."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.chaos.events import Direction, Event, EventKind
from facecli.chaos.proxy import Proxy
from tests.support.e2e.process import CommandResult
from tests.support.e2e.uploads import stored_progress
from tests.support.eventually import DEADLINE

OVERHEAD = 1.02  # bytes on the connection for each byte of a file
CONTROL_BYTES = 64 * 1024  # bytes on the connection that belong to no file


@contextmanager
def holding_proxy(server: str, *, after: int) -> Iterator[Proxy]:
    """A proxy that passes the first `after` bytes to the server and holds the rest until it is released."""
    with Proxy(server) as proxy:
        proxy.hold(Direction.SERVER, after=after)
        yield proxy


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process with SIGSTOP, its connections left open, and continue it afterwards."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def check_sent_once(result: CommandResult, proxy: Proxy) -> None:
    """Assert that the last connection carried no bytes that were acknowledged before the last break."""
    retries = [index for index, event in enumerate(result.events) if event.get("event") == "waiting"]
    assert retries
    acknowledged = max(stored_progress(result, before=retries[-1]), default=0)
    last = proxy.events_of(EventKind.OPENED)[-1].connection  # what an earlier one still carries is no resend

    def ends() -> list[Event]:
        kinds = (EventKind.CLOSED, EventKind.CUT)
        return [each for kind in kinds for each in proxy.events_of(kind) if each.connection == last]

    assert proxy.wait_for(lambda: bool(ends()), DEADLINE)
    missing = result.object["size"] - acknowledged
    assert ends()[-1].to_server <= missing * OVERHEAD + CONTROL_BYTES
