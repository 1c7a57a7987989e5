"""A connection to the server, with its clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING

from facecli.config.access import client_tls, current_token
from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.client.connection import Connection
    from facecli.client.context import ClientContext
    from facecli.client.downloads import DownloadClient
    from facecli.client.swap import SwapClient
    from facecli.client.tasks import TaskClient
    from facecli.client.uploads import UploadClient


class Session:
    """A connection's settings and clients; each client is imported and created on first use.

    `flags` are the options that lead other commands to the same server.
    """

    def __init__(self, settings: Settings, connection: "Connection", *, flags: str) -> None:
        self.settings = settings
        self.flags = flags
        self.encrypted = connection.encrypted
        self.local = connection.local
        self._connection = connection

    def limited(self, *, timeout: float | None, retry_for: float) -> "Session":
        """A session of its own on the same connection, for calls with these limits."""
        connection = self._connection.limited(timeout=timeout, retry_for=retry_for)
        return Session(self.settings, connection, flags=self.flags)

    @cached_property
    def _context(self) -> "ClientContext":
        from facecli.client.context import ClientContext

        return ClientContext(connection=self._connection, user=self.settings.user)

    @cached_property
    def uploads(self) -> "UploadClient":
        from facecli.client.uploads import UploadClient

        return UploadClient(self._context)

    @cached_property
    def tasks(self) -> "TaskClient":
        from facecli.client.tasks import TaskClient

        return TaskClient(self._context)

    @cached_property
    def files(self) -> "DownloadClient":
        from facecli.client.downloads import DownloadClient

        return DownloadClient(self._context)

    @cached_property
    def swaps(self) -> "SwapClient":
        from facecli.client.swap import SwapClient

        return SwapClient(uploads=self.uploads, tasks=self.tasks, downloads=self.files)


@contextmanager
def connected(
    settings: Settings, *, notify: Callable[[str], None] = lambda text: None, flags: str = ""
) -> Iterator[Session]:
    """Open a session, which says through `notify` that the server is away. gRPC is not imported earlier."""
    from facecli.client.connection import Connection
    from facecli.wire.proxies import Proxies

    with Connection(
        settings.server,
        token=partial(current_token, settings),
        call_timeout=settings.call_timeout,
        retry_for=settings.retry_for,
        timeout=settings.timeout or None,
        tls=client_tls(settings),
        insecure=settings.insecure,
        proxies=Proxies.from_environment(ENVIRONMENT),
        notify=notify,
    ) as connection:
        yield Session(settings, connection, flags=flags)
