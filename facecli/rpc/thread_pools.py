"""Thread pools of the gRPC server: where a call runs is decided when its headers arrive.

Theory of operation: gRPC's serving thread hands every call to a thread pool and does nothing else, so it must
never block. Health checks have a pool of their own, and calls of users another one; a flood of either leaves
the other alone. A call that is certain to be refused runs in the serving thread itself, which costs no thread
and no place in a queue: a refusal reads no message, no database, and does not wait until it is sent.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class CallPool(ThreadPoolExecutor):
    """A thread pool that knows when its queue is full: with `backlog` calls beyond its threads."""

    def __init__(self, *, threads: int, backlog: int, name: str) -> None:
        super().__init__(max_workers=threads, thread_name_prefix=name)
        self._capacity = threads + backlog
        self._unfinished = 0
        self._count_lock = threading.Lock()

    @property
    def full(self) -> bool:
        return self._unfinished >= self._capacity

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = super().submit(function, *args, **kwargs)
        self._count(1)
        future.add_done_callback(lambda _: self._count(-1))
        return future

    def _count(self, change: int) -> None:
        with self._count_lock:
            self._unfinished += change


class InServingThread(ThreadPoolExecutor):
    """Runs a call at once in the thread that submits it; for calls that cannot block."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = Future[T]()
        future.set_result(function(*args, **kwargs))
        return future
