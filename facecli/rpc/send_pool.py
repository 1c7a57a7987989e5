"""A thread pool for sending, which grows while all of its threads are blocked by flow control.

Theory of operation: gRPC's `send` blocks until the message is on its way; for a client that does not read,
for as long as that client likes. A few threads serve thousands of watchers as long as sends return at once.
A monitor notices when sends are queued and none has returned for STALL_SECONDS, and starts one more thread
each time. A thread that finds enough idle ones beside it ends, so the pool shrinks again.
"""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

THREADS = 4
STALL_SECONDS = 0.1  # without the return of any send, after which the pool grows by one thread


class SendPool:
    """Runs the sends it is given, started in order, until `close`."""

    def __init__(self, threads: int = THREADS, *, stall: float = STALL_SECONDS) -> None:
        self._queue = SimpleQueue[Callable[[], None] | None]()
        self._threads = threads
        self._stall = stall
        self._idle = 0
        self._lock = threading.Lock()
        self._last_return = time.monotonic()  # of any send
        self._submitted = threading.Event()
        self._closed = False
        threading.Thread(target=self._monitor, name="send-monitor", daemon=True).start()
        for _ in range(threads):
            self._grow()

    def submit(self, send: Callable[[], None]) -> None:
        """Queue a send. Safe to call from any thread; returns at once."""
        self._queue.put(send)
        if not self._submitted.is_set():
            self._submitted.set()

    def close(self) -> None:
        """Take no more sends; those that are queued still run."""
        self._closed = True
        self._submitted.set()
        self._queue.put(None)

    def _grow(self) -> None:
        threading.Thread(target=self._run, name="send", daemon=True).start()

    def _run(self) -> None:
        while send := self._next():
            try:
                send()
            except BaseException:
                self._grow()  # a bug ends this thread, with its stack in the log; another one replaces it
                raise
            self._last_return = time.monotonic()

    def _next(self) -> Callable[[], None] | None:
        """The next send; None when this thread shall end, because enough are idle or the pool is closed."""
        with self._lock:
            if self._idle == self._threads:
                return None
            self._idle += 1
        send = self._queue.get()
        with self._lock:
            self._idle -= 1
        if send is None:
            self._queue.put(None)  # for the next thread
        return send

    def _monitor(self) -> None:
        while self._submitted.wait() and not self._closed:
            self._submitted.clear()
            time.sleep(self._stall)
            if not self._queue.empty():
                self._submitted.set()
                if time.monotonic() - self._last_return > self._stall:
                    self._grow()
