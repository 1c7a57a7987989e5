"""Client-side load balancing over several servers.

Theory of operation. Each server has a channel of its own, because each has its own name in its certificate,
may need a proxy or not, and may have several addresses behind its name. A call goes to the next server whose
channel is ready (round robin). gRPC watches the health of each server, and a channel is not ready while its
server says NOT_SERVING. So new calls avoid a server that is away, drains, or has lost its storage. A call
that breaks is resumed by the client that made it, with a new call.
"""

import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import grpc

from facecli.client.calls.background import run_in_background
from facecli.core.addresses import host_of, is_ip_address, is_local
from facecli.wire.channel import Options

CONNECT_WAIT = 5.0  # seconds that a call waits for a ready server while another one is being connected
RESOLVE_WAIT = 2.0  # seconds for the addresses of a name

# The health service's name for a whole server is empty.
HEALTH_CHECKS: Options = [
    (
        "grpc.service_config",
        json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}),
    )
]

_State = grpc.ChannelConnectivity
_CONNECTING = frozenset({_State.IDLE, _State.CONNECTING})


class ServerPool(grpc.Channel):
    """A channel to the first ready one of several servers, given by their channels."""

    def __init__(self, channels: Sequence[grpc.Channel]) -> None:
        self._channels = random.sample(channels, len(channels))  # the first to connect gets the first call
        self._states = [_State.IDLE] * len(channels)
        self._next = 0
        self._changed = threading.Condition()
        for number, channel in enumerate(self._channels):
            channel.subscribe(partial(self._set_state, number), try_to_connect=True)

    def pick(self, timeout: float | None = None) -> int:
        """The number of the server for the next call.

        Waits for one that is ready while any is being connected, for `timeout` and `CONNECT_WAIT` at most.
        """
        wait = CONNECT_WAIT if timeout is None else min(timeout, CONNECT_WAIT)
        with self._changed:
            self._changed.wait_for(self._is_settled, wait)
            count = len(self._channels)
            order = [(self._next + step) % count for step in range(count)]
            chosen = min(order, key=lambda number: _rank(self._states[number]))  # the first of the best
            self._next = (chosen + 1) % count
            return chosen

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        for channel in self._channels:
            channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        for channel in self._channels:
            channel.unsubscribe(callback)

    def unary_unary(self, *method: Any, **options: Any) -> Any:
        return _Method(self, [channel.unary_unary(*method, **options) for channel in self._channels])

    def unary_stream(self, *method: Any, **options: Any) -> Any:
        return _Method(self, [channel.unary_stream(*method, **options) for channel in self._channels])

    def stream_unary(self, *method: Any, **options: Any) -> Any:
        return _Method(self, [channel.stream_unary(*method, **options) for channel in self._channels])

    def stream_stream(self, *method: Any, **options: Any) -> Any:
        return _Method(self, [channel.stream_stream(*method, **options) for channel in self._channels])

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> "ServerPool":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _set_state(self, number: int, state: grpc.ChannelConnectivity) -> None:
        with self._changed:
            self._states[number] = state
            self._changed.notify_all()

    def _is_settled(self) -> bool:
        return _State.READY in self._states or not _CONNECTING & set(self._states)


class _Method:
    """A method of all servers; each call goes to the one that the pool picks."""

    def __init__(self, pool: ServerPool, methods: Sequence[Any]) -> None:
        self._pool = pool
        self._methods = methods

    def __call__(self, request: Any, timeout: float | None = None, **options: Any) -> Any:
        return self._methods[self._pool.pick(timeout)](request, timeout=timeout, **options)

    def with_call(self, request: Any, timeout: float | None = None, **options: Any) -> Any:
        return self._methods[self._pool.pick(timeout)].with_call(request, timeout=timeout, **options)

    def future(self, request: Any, timeout: float | None = None, **options: Any) -> Any:
        return self._methods[self._pool.pick(timeout)].future(request, timeout=timeout, **options)


def has_several_addresses(address: str) -> bool:
    """Whether the host of HOST:PORT is a name of several machines; a second address family is none."""
    host, port = host_of(address), int(address.rpartition(":")[2])
    if is_local(address) or is_ip_address(host):
        return False
    families = list[Mapping[int, int]]()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:  # gRPC will say so
            return
        families.append(Counter(family for family, *_ in found))

    run_in_background(resolve, wait=RESOLVE_WAIT)
    return any(count > 1 for each in families for count in each.values())


def _rank(state: grpc.ChannelConnectivity) -> int:
    if state is _State.READY:
        return 0
    return 1 if state in _CONNECTING else 2
