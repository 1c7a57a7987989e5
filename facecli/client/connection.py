"""A channel to a server, with our errors in place of gRPC's."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self

import grpc

from facecli.core.addresses import checked_address, is_local
from facecli.core.errors import PolicyRefused
from facecli.core.uploads import MAX_CHUNK_SIZE

OPTIONS = [
    ("grpc.max_receive_message_length", MAX_CHUNK_SIZE + 64 * 1024),
    ("grpc.enable_retries", 0),  # a broken call is gone on with, not repeated
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.lb_policy_name", "round_robin"),
]
_QUICK = 5_000  # milliseconds in which a peer answers whether it lives
# On a slow line the question waits behind all that a proxy or a kernel has taken from us: the 4 MiB of a
# stream take so long at the lowest rate that a server allows.
_PATIENT = 130_000


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
        self.target = addresses[0] if len(addresses) == 1 else "ipv4:" + ",".join(addresses)
        self.servers = servers
        self.timeout = timeout
        self.channel = self._open(_QUICK)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()

    @cached_property
    def patient_channel(self) -> grpc.Channel:
        """Another way to the same servers, for who finds that they do not answer in time though they live."""
        return self._open(_PATIENT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()
        if "patient_channel" in self.__dict__:
            self.patient_channel.close()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Raise what the server raised."""
        try:
            yield
        except grpc.RpcError as error:
            from facecli.wire.errors import from_rpc  # 11 ms that most commands need not spend

            raise from_rpc(error, server=self.servers) from error

    def _open(self, answer_within: int) -> grpc.Channel:
        within = [
            ("grpc.keepalive_timeout_ms", answer_within),
            (
                "grpc.http2.ping_timeout_ms",
                answer_within,
            ),  # without it a frozen peer is dropped after 60 s only
        ]
        return grpc.insecure_channel(self.target, options=[*OPTIONS, *within])
