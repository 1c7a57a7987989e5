"""The server of a bench, how it is talked to, and how a bench ends."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from facecli.config.access import client_tls, current_token
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.bench.uploads.client import Target
    from facecli.bootstrap.server import Running


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM, from `timeout` or a CI that gives up, is Ctrl-C: what is half done is put away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def own_server(settings: Settings) -> AbstractContextManager["Running"]:
    """In the process that is the server."""
    from facecli.bootstrap.server import run_server

    return run_server(settings)


def target(settings: Settings, servers: str) -> "Target":
    """These servers, or one of our own when that is empty, as the settings say to talk to them."""
    from facecli.bench.uploads.client import Target

    return Target(
        servers=servers,
        user=settings.user,
        token=partial(current_token, settings),
        timeout=settings.timeout,
        tls=client_tls(settings),
        retry_for=settings.retry_for,
        insecure=settings.insecure,
    )
