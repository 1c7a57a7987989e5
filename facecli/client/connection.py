"""A channel to a server, with our errors in place of gRPC's."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

import grpc

from facecli.core.addresses import checked_address, is_local
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
    """Open until closed. `servers` is `HOST:PORT`, or several separated by commas.

    Over TLS every server has to have a certificate for the first one's name. The token, which is asked for
    again for every call, is not sent to another machine without TLS unless `insecure` says so.
    """

    def __init__(
        self,
        servers: str,
        *,
        timeout: float,
        token: Callable[[], str] | None = None,
        tls: ClientTls | None = None,
        insecure: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        addresses = [checked_address(each.strip(), option="--server") for each in servers.split(",")]
        self.servers = servers
        self.timeout = timeout
        self.encrypted = tls is not None
        self.local = all(map(is_local, addresses))
        self._clock = clock
        self._sleep = sleep
        self._token = token
        self._shown = token() if token else ""
        if self._shown and not (tls or insecure or self.local):
            raise PolicyRefused(
                f"the token would travel unencrypted to {servers}; say --tls, go through a tunnel, "
                "or set FACECLI_INSECURE=1"
            )
        first, *more = addresses
        self.target = "ipv4:" + ",".join(addresses) if more else first
        self._credentials = _credentials(tls) if tls else None
        # Else the whole list would be the name that a certificate has to be for.
        self._name = [("grpc.default_authority", first)] if tls and more else []
        self.channel = self._open(FAST_KEEPALIVE_TIMEOUT_MS)

    @property
    def metadata(self) -> Metadata:
        """For the next call: the token as it is now."""
        self._shown = self._current_token()
        return (("authorization", f"Bearer {self._shown}"),) if self._shown else ()

    def renewed(self) -> bool:
        """Whether there is another token by now than the last call had."""
        return self._current_token() != self._shown

    @cached_property
    def patient_channel(self) -> grpc.Channel:
        """Another way to the same servers, for who finds that they do not answer in time though they live."""
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
            return self._shown  # its file is just being written anew

    def call(self, method: "grpc.UnaryUnaryMultiCallable[Q, R]", request: Q, *, metadata: Metadata = ()) -> R:
        """The answer to a short call. What is refused for now is asked again when the server says, within
        the time of a call."""
        until = self._clock() + self.timeout
        while True:
            try:
                with self.calling():
                    return method(request, timeout=self.timeout, metadata=(*self.metadata, *metadata))
            except LimitReached as refused:
                if not refused.retryable or self._clock() + refused.retry_after >= until:
                    raise
                self._sleep(refused.retry_after)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Raise what the server raised."""
        try:
            yield
        except grpc.RpcError as error:
            from facecli.wire.errors import from_rpc  # 11 ms that most commands need not spend

            raise from_rpc(error, server=self.servers) from error

    def _open(self, timeout_ms: int) -> grpc.Channel:
        options = [*CLIENT_OPTIONS, *keepalive_timeout(timeout_ms), *self._name]
        if self._credentials:
            return grpc.secure_channel(self.target, self._credentials, options=options)
        return grpc.insecure_channel(self.target, options=options)


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    authority = read_authority(tls.ca) if tls.ca else None
    cert, key = read_pair(tls.cert, tls.key) if tls.cert or tls.key else (None, None)
    return grpc.ssl_channel_credentials(authority, key, cert)
