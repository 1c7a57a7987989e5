"""The connection to a server: channels, token, and gRPC errors translated to ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

import grpc

from facecli.core.addresses import checked_address, is_local
from facecli.core.backoff import RetryBudget
from facecli.core.errors import InvalidInput, LimitReached, PolicyRefused
from facecli.core.tls import ClientTls, read_authority, read_pair
from facecli.wire.channel import (
    CLIENT_OPTIONS,
    FAST_KEEPALIVE_TIMEOUT_MS,
    SLOW_KEEPALIVE_TIMEOUT_MS,
    keepalive_timeout,
)

Metadata = tuple[tuple[str, str], ...]
Q = TypeVar("Q")
R = TypeVar("R")


class Connection:
    """A connection to `servers`: `HOST:PORT`, or several separated by commas. Use it in a `with` statement.

    With TLS every server needs a certificate for the name of the first. The token is read again for every
    call. It is never sent to another machine without TLS, unless `insecure` is set.
    """

    def __init__(
        self,
        servers: str,
        *,
        timeout: float,
        token: Callable[[], str] | None = None,
        tls: ClientTls | None = None,
        insecure: bool = False,
        retry_budget: Callable[[float], RetryBudget] = RetryBudget,
    ) -> None:
        addresses = [checked_address(each.strip(), option="--server") for each in servers.split(",")]
        self.servers = servers
        self.timeout = timeout
        self.encrypted = tls is not None
        self.local = all(map(is_local, addresses))
        self._retry_budget = retry_budget
        self._token = token
        self._last_token = token() if token else ""
        if self._last_token and not (tls or insecure or self.local):
            raise PolicyRefused(
                f"the token would be sent unencrypted to {servers}; use --tls or a tunnel, "
                "or set FACECLI_INSECURE=1"
            )
        first, *more = addresses
        self.target = "ipv4:" + ",".join(addresses) if more else first
        self._credentials = _credentials(tls) if tls else None
        # Otherwise gRPC would check the certificate against the whole list.
        self._authority = [("grpc.default_authority", first)] if tls and more else []
        self.channel = self._open(FAST_KEEPALIVE_TIMEOUT_MS)

    @property
    def metadata(self) -> Metadata:
        """The metadata of the next call, with the current token."""
        self._last_token = self._current_token()
        return (("authorization", f"Bearer {self._last_token}"),) if self._last_token else ()

    def has_new_token(self) -> bool:
        """Whether the token has changed since the last call."""
        return self._current_token() != self._last_token

    @cached_property
    def patient_channel(self) -> grpc.Channel:
        """A channel to the same servers with a longer keepalive timeout, for a slow network."""
        return self._open(SLOW_KEEPALIVE_TIMEOUT_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()
        if "patient_channel" in self.__dict__:
            self.patient_channel.close()

    def _current_token(self) -> str:
        try:
            return self._token() if self._token else ""
        except InvalidInput:
            return self._last_token  # the token file is being rewritten right now

    def call(self, method: "grpc.UnaryUnaryMultiCallable[Q, R]", request: Q, *, metadata: Metadata = ()) -> R:
        """Make a unary call and return its answer.

        A call refused for a limit is retried when the server asks, as long as the retry begins within
        `timeout` of this call.
        """
        retry_budget = self._retry_budget(self.timeout)
        retry_budget.start()
        while True:
            try:
                with self.translated_errors():
                    return method(request, timeout=self.timeout, metadata=(*self.metadata, *metadata))
            except LimitReached as error:
                if not error.retryable or not retry_budget.wait_as_asked(error):
                    raise

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise the error that the server raised, in place of gRPC's."""
        try:
            yield
        except grpc.RpcError as error:
            from facecli.wire.errors import from_rpc  # imported late: it takes 11 ms

            raise from_rpc(error, server=self.servers) from error

    def _open(self, timeout_ms: int) -> grpc.Channel:
        options = [*CLIENT_OPTIONS, *keepalive_timeout(timeout_ms), *self._authority]
        if self._credentials:
            return grpc.secure_channel(self.target, self._credentials, options=options)
        return grpc.insecure_channel(self.target, options=options)


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    authority = read_authority(tls.ca) if tls.ca else None
    cert, key = read_pair(tls.cert, tls.key) if tls.cert or tls.key else (None, None)
    return grpc.ssl_channel_credentials(authority, key, cert)
