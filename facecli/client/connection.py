"""A channel to a server, with our errors in place of gRPC's."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import grpc

from facecli.core.addresses import checked_address, is_local
from facecli.core.errors import PolicyRefused
from facecli.core.uploads import MAX_CHUNK_SIZE

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_CHUNK_SIZE + 64 * 1024),
    ("grpc.enable_retries", 0),  # a broken call is gone on with, not repeated
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),  # without it a frozen peer is dropped after 60 s only
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.lb_policy_name", "round_robin"),
]


class Connection:
    """Open until closed. `servers` is `HOST:PORT`, or several separated by commas.

    The token is not sent to another machine over this plain connection unless `insecure` says so.
    """

    def __init__(self, servers: str, *, token: str, timeout: float, insecure: bool = False) -> None:
        addresses = [checked_address(each.strip(), option="--server") for each in servers.split(",")]
        if token and not insecure and not all(map(is_local, addresses)):
            raise PolicyRefused(
                f"the token would travel unencrypted to {servers}; "
                "go through a tunnel, or set FACECLI_INSECURE=1"
            )
        target = addresses[0] if len(addresses) == 1 else "ipv4:" + ",".join(addresses)
        self.servers = servers
        self.timeout = timeout
        self.channel = grpc.insecure_channel(target, options=_OPTIONS)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Raise what the server raised."""
        try:
            yield
        except grpc.RpcError as error:
            from facecli.wire.errors import from_rpc  # 11 ms that most commands need not spend

            raise from_rpc(error, server=self.servers) from error
