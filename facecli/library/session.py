"""A connection to the server, with its clients."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from facecli.config.access import client_tls, current_token, standalone
from facecli.config.environment import ENVIRONMENT
from facecli.config.paths import local_directory
from facecli.config.settings import LOCAL, Settings
from facecli.telemetry.traces.spans import TRACEPARENT, recorded, traceparent_in

if TYPE_CHECKING:
    from facecli.client.connection import Connection
    from facecli.client.context import ClientContext
    from facecli.client.downloads import DownloadClient
    from facecli.client.swap import SwapClient
    from facecli.client.tasks import TaskClient
    from facecli.client.uploads import UploadClient


class Session:
    """A connection's settings and clients; each client is imported and created on first use.

    `connect` is called on first use. `flags` are the options that lead other commands to the same server.
    `own_server` is whether the server ends with the commands that use it.
    """

    def __init__(
        self,
        settings: Settings,
        connect: "Callable[[], Connection]",
        *,
        flags: str,
        own_server: bool = False,
    ) -> None:
        self.settings = settings
        self.flags = flags
        self.own_server = own_server
        self._connect = connect
        self._connecting = Lock()
        self._connected: Connection | None = None

    def limited(self, *, timeout: float | None, retry_for: float) -> "Session":
        """A session of its own on the same connection, for calls with these limits."""
        connection = self._connection.limited(timeout=timeout, retry_for=retry_for)
        return Session(self.settings, lambda: connection, flags=self.flags, own_server=self.own_server)

    @property
    def encrypted(self) -> bool:
        return self._connection.encrypted

    @property
    def local(self) -> bool:
        return self._connection.local

    @property
    def proxy(self) -> str:
        """The proxy on the way to the server; empty without."""
        return self._connection.proxy.name if self._connection.proxy else ""

    @property
    def _connection(self) -> "Connection":
        with self._connecting:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

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
    settings: Settings,
    *,
    notify: Callable[[str], None] = lambda text: None,
    flags: str = "",
    log: Callable[[str], None] | None = None,
    starting: Callable[[], None] = lambda: None,
    name: str = "facecli",
) -> Iterator[Session]:
    """Open a session, which says through `notify` that the server is away. gRPC is not imported earlier.

    `log` receives a line for every call. `name` is that of the span of the session, if it sends traces.

    The server `local` is run from the first use of the session, which `starting` precedes, until the last
    session with it has ended.
    """
    with ExitStack() as stack:
        place = stack.enter_context(_traced(settings, name))
        if settings.server != LOCAL:
            connection = stack.enter_context(_connection(settings, place, notify, log))
            yield Session(settings, lambda: connection, flags=flags)
            return
        private = standalone(settings)

        def start() -> "Connection":
            from facecli.local.server import LocalServer

            starting()
            server = stack.enter_context(LocalServer(local_directory(), settings))
            local = replace(private, server=server.address)
            return stack.enter_context(_connection(local, place, notify, log))

        yield Session(private, start, flags=flags, own_server=True)


@contextmanager
def _traced(settings: Settings, name: str) -> Iterator[str]:
    """The traceparent of the session's calls: of a span of its own, or what TRACEPARENT says."""
    parent = traceparent_in({TRACEPARENT: ENVIRONMENT.get("TRACEPARENT", "")})
    if not settings.traces:
        yield parent
        return
    from facecli.bootstrap.service.traces import traces

    with (
        traces(settings, service="facecli") as tracer,
        recorded(tracer.start(name, parent=parent)) as span,
    ):
        yield span.traceparent


def _connection(
    settings: Settings,
    traceparent: str,
    notify: Callable[[str], None],
    log: Callable[[str], None] | None,
) -> "Connection":
    from facecli.client.connection import Connection
    from facecli.wire.proxies import Proxies

    return Connection(
        settings.server,
        token=partial(current_token, settings),
        call_timeout=settings.call_timeout,
        retry_for=settings.retry_for,
        timeout=settings.timeout or None,
        tls=client_tls(settings),
        insecure=settings.insecure,
        proxies=Proxies.from_environment(ENVIRONMENT),
        traceparent=traceparent,
        notify=notify,
        log=log,
    )
