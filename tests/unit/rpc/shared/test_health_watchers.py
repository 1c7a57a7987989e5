"""The number of health watchers, of which every client of several servers has one."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2 as pb

from facecli.api.authentication import Authenticator
from facecli.core.events import EventBus
from facecli.rpc.calls import Calls
from facecli.rpc.health import HealthServicer
from tests.support.eventually import eventually
from tests.support.rpc.calls import ConnectedContext


class Watcher(ConnectedContext):
    """The call of a watcher, of a connection of its own."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.sent: list[Any] = []
        self._number = number
        self._at_end: list[Callable[[], None]] = []

    def peer(self) -> str:
        return f"ipv4:127.0.0.1:{self._number}"

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._at_end.append(callback)
        return True

    def send(self, message: Any) -> None:
        self.sent.append(message)
        if message is None:
            for each in self._at_end:
                each()


def test_too_many_health_watchers_end_the_oldest_one_so_that_grpc_asks_no_more() -> None:
    calls = Calls(Authenticator(None), EventBus())
    health = HealthServicer(calls, max_watchers=2)
    health.set("", pb.HealthCheckResponse.SERVING)
    watchers = [Watcher(number) for number in range(3)]
    serving = pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVING)
    with ExitStack() as stack:
        for watcher in watchers:
            stack.enter_context(calls.opened(cast(Any, watcher), "/grpc.health.v1.Health/Watch"))
            health.Watch(pb.HealthCheckRequest(), cast(Any, watcher), watcher.send)
        eventually(lambda: watchers[0].sent[-1:] == [None])
        assert watchers[0].status is grpc.StatusCode.UNIMPLEMENTED
        eventually(lambda: [watcher.sent for watcher in watchers[1:]] == [[serving], [serving]])
    health.close()
