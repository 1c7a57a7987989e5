"""The connection to a server: channels, token, and gRPC errors translated to ours."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

import grpc

from facecli.client.calls.background import run_in_background
from facecli.client.calls.call_log import logged
from facecli.client.calls.deadline import CommandDeadline
from facecli.client.calls.outage import Outage
from facecli.client.calls.server_pool import HEALTH_CHECKS, ServerPool, has_several_addresses
from facecli.core.addresses import checked_addresses, is_local
from facecli.core.backoff import RetryBudget
from facecli.core.errors import (
    FacecliError,
    InvalidInput,
    MisconfiguredConnection,
    PolicyRefused,
    ServerUnreachable,
    UnexpectedResponse,
)
from facecli.core.tls import ClientTls, read_authority, read_pair
from facecli.telemetry.traces.spans import TRACEPARENT
from facecli.wire.channel import (
    CLIENT_OPTIONS,
    FAST_KEEPALIVE_TIMEOUT_MS,
    SLOW_KEEPALIVE_TIMEOUT_MS,
    Options,
    keepalive_timeout,
    proxy_options,
)
from facecli.wire.proxies import DIRECT, Proxies

CLOSE_SECONDS = 1.0  # that an error waits for the connections to close

Metadata = tuple[tuple[str, str], ...]
T = TypeVar("T")


class Connection:
    """A connection to `servers`: `HOST:PORT`, or several separated by commas. Use it in a `with` statement.

    Calls are spread over the servers that serve. With TLS each needs a certificate for its own name. The
    token is read again for every call. It is never sent to another machine without TLS, unless `insecure` is
    set. A unary call ends after `call_timeout` and is retried for `retry_for`; `timeout`, counted from now
    on, ends all of them. `notify` receives one line when the server is away, and `log` one for every call.
    Times are in seconds.
    """

    def __init__(
        self,
        servers: str,
        *,
        call_timeout: float,
        retry_for: float = 0.0,
        timeout: float | None = None,
        token: Callable[[], str] | None = None,
        tls: ClientTls | None = None,
        insecure: bool = False,
        proxies: Proxies = DIRECT,
        traceparent: str = "",
        notify: Callable[[str], None] = lambda text: None,
        log: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        addresses = checked_addresses(servers, option="--server")
        self.servers = ",".join(addresses)
        self.call_timeout = call_timeout
        self.retry_for = retry_for
        self.deadline = CommandDeadline(timeout, clock=clock)
        self.encrypted = tls is not None
        self.local = all(map(is_local, addresses))
        self.clock = clock
        self.outage = Outage(self.servers, notify=notify, clock=clock)
        self._sleep = sleep
        self._log = log
        self._token = token
        self._trace = ((TRACEPARENT, traceparent),) if traceparent else ()
        self._last_token = token() if token else ""
        if self._last_token and not (tls or insecure or self.local):
            raise PolicyRefused(
                f"the token would be sent unencrypted to {self.servers}; use --tls or a tunnel, "
                "or set FACECLI_INSECURE=1"
            )
        self.addresses = addresses
        self._proxies = proxies
        self.proxy = next(filter(None, map(proxies.of, addresses)), None)
        self._credentials = _credentials(tls) if tls else None
        self._unusable = 0  # answers in a row that say that the connection is misconfigured
        self._checks_health = len(addresses) > 1 or (not self.proxy and has_several_addresses(addresses[0]))
        self.channel = self._open(FAST_KEEPALIVE_TIMEOUT_MS)
        self._patient_channels = list[grpc.Channel]()  # none before the first use
        self._opening = Lock()

    def limited(self, *, timeout: float | None, retry_for: float) -> Self:
        """The same connection for calls that end `timeout` from now on, and are retried for `retry_for`.

        It shares the channels and the outage, and must not be closed.
        """
        limited = copy.copy(self)
        limited.retry_for = retry_for
        limited.deadline = CommandDeadline(timeout, clock=self.clock, limited="the call")
        return limited

    def options(self, address: str) -> Options:
        """The options of a channel to a server that do not depend on the network's speed."""
        health = HEALTH_CHECKS if self._checks_health else []
        return [*CLIENT_OPTIONS, *proxy_options(self._proxies.of(address)), *health]

    @property
    def metadata(self) -> Metadata:
        """The metadata of the next call, with the current token."""
        self._last_token = self._current_token()
        token = (("authorization", f"Bearer {self._last_token}"),) if self._last_token else ()
        return (*token, *self._trace)

    def has_new_token(self) -> bool:
        """Whether the token has changed since the last call."""
        return self._current_token() != self._last_token

    @property
    def patient_channel(self) -> grpc.Channel:
        """A channel to the same servers with a longer keepalive timeout, for a slow network."""
        with self._opening:
            if not self._patient_channels:
                self._patient_channels.append(self._open(SLOW_KEEPALIVE_TIMEOUT_MS))
            return self._patient_channels[0]

    def retry_budget(
        self,
        retry_for: float,
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> RetryBudget:
        """A new budget for retries, whose waits are announced and end at the deadline."""
        sleep_for = sleep or self._sleep
        return RetryBudget(
            retry_for,
            clock=clock or self.clock,
            sleep=lambda seconds: sleep_for(self.deadline.limited(seconds)),
            announce=self.outage.announce,
        )

    @contextmanager
    def translated_errors(
        self, expected: Callable[[grpc.RpcError], FacecliError | None] = lambda error: None
    ) -> Iterator[None]:
        """Raise the error that the server raised, in place of gRPC's; `expected` may know a better one."""
        try:
            yield
        except grpc.RpcError as error:
            from facecli.wire.errors import from_rpc  # imported late: it takes 11 ms

            if self.deadline.passed:
                raise self.deadline.error() from error
            ours = self._explained(expected(error) or from_rpc(error, server=self.servers))
            self.outage.failed(ours)
            raise ours from error
        except UnexpectedResponse as error:
            raise self.unexpected(error.message) from error

    def unexpected(self, sent: str) -> UnexpectedResponse:
        """The error about something that a server of this protocol does not send."""
        return UnexpectedResponse(f"the server {self.servers} sent {sent}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C in the middle of the start of a call leaves gRPC a call that never ends, and closing waits
        # for it. So an error waits a little only: the connections end with the process.
        run_in_background(self._close, wait=None if kind is None else CLOSE_SECONDS)

    def _close(self) -> None:
        self.channel.close()
        for channel in self._patient_channels:
            channel.close()

    def _current_token(self) -> str:
        try:
            return self._token() if self._token else ""
        except InvalidInput:
            return self._last_token  # the token file is being rewritten right now

    def _explained(self, error: FacecliError) -> FacecliError:
        if not isinstance(error, ServerUnreachable):
            return error
        message = error.message
        if self.proxy:
            message += f"; it is reached through the proxy {self.proxy.name} unless no_proxy lists its host"
        self._unusable = self._unusable + 1 if isinstance(error, MisconfiguredConnection) else 0
        if self._unusable >= len(self.addresses) and not self.outage.answered:  # each of them, in turn
            return MisconfiguredConnection(message)
        return ServerUnreachable(message)

    def _open(self, timeout_ms: int) -> grpc.Channel:
        channels = [self._channel(address, timeout_ms) for address in self.addresses]
        return logged(channels[0] if len(channels) == 1 else ServerPool(channels), self._log)

    def _channel(self, address: str, timeout_ms: int) -> grpc.Channel:
        options = [*self.options(address), *keepalive_timeout(timeout_ms)]
        if self._credentials:
            return grpc.secure_channel(address, self._credentials, options=options)
        return grpc.insecure_channel(address, options=options)


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    authority = read_authority(tls.ca) if tls.ca else None
    cert, key = read_pair(tls.cert, tls.key) if tls.cert or tls.key else (None, None)
    return grpc.ssl_channel_credentials(authority, key, cert)
