"""The server of a bench, and its termination."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from facecli.config.access import client_tls, current_token
from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.bench.target import Target
    from facecli.bootstrap.server import Running


@contextmanager
def terminable() -> Iterator[None]:
    """Treat SIGTERM, as sent by `timeout` or a CI, like Ctrl-C, so that everything is cleaned up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def local_server(settings: Settings) -> AbstractContextManager["Running"]:
    """Run a server in this process."""
    from facecli.bootstrap.server import run_server

    return run_server(settings)


def target(settings: Settings, servers: str) -> "Target":
    """The target at `servers`, or a local server if empty, with the credentials of the settings."""
    from facecli.bench.target import Target
    from facecli.wire.proxies import Proxies

    return Target(
        servers=servers,
        user=settings.user,
        token=partial(current_token, settings),
        call_timeout=settings.call_timeout,
        proxies=Proxies.from_environment(ENVIRONMENT),
        tls=client_tls(settings),
        retry_for=settings.retry_for,
        insecure=settings.insecure,
    )
