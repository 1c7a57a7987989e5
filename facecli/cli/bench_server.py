"""The server of a bench, and how a bench ends."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from facecli.config import Settings

if TYPE_CHECKING:
    from facecli.bootstrap.serving import Running


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
    from facecli.bootstrap.serving import serving

    return serving(settings)
