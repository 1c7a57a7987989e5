"""Sends to many calls from a few threads, of which a call that takes nothing more holds up no other."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

THREADS = 4
STALL = 0.1  # seconds without the end of any send, after which one more thread helps out


class SendPool:
    """Does what it is given soon, beginning in order, until `close`.

    gRPC's `send` returns when the message is on its way: with a client that does not read, when that client
    likes. While all threads wait so, more help out, one after the other.
    """

    def __init__(self, threads: int = THREADS, *, stall: float = STALL) -> None:
        self._due = SimpleQueue[Callable[[], None] | None]()
        self._threads = threads
        self._stall = stall
        self._idle = 0
        self._lock = threading.Lock()
        self._ended = time.monotonic()  # when any send last did
        self._working = threading.Event()
        self._closed = False
        threading.Thread(target=self._help_out, name="sending-help", daemon=True).start()
        for _ in range(threads):
            self._start()

    def submit(self, send: Callable[[], None]) -> None:
        """From any thread; returns at once."""
        self._due.put(send)
        if not self._working.is_set():
            self._working.set()

    def close(self) -> None:
        """What is due is still done."""
        self._closed = True
        self._working.set()
        self._due.put(None)

    def _start(self) -> None:
        threading.Thread(target=self._send, name="sending", daemon=True).start()

    def _send(self) -> None:
        while send := self._next():
            try:
                send()
            except BaseException:
                self._start()  # a bug ends this thread, with its stack in the log; the work goes on
                raise
            self._ended = time.monotonic()

    def _next(self) -> Callable[[], None] | None:
        """None to end: when as many threads as there should be are idle already, or all is done."""
        with self._lock:
            if self._idle == self._threads:
                return None
            self._idle += 1
        send = self._due.get()
        with self._lock:
            self._idle -= 1
        if send is None:
            self._due.put(None)  # for the next thread
        return send

    def _help_out(self) -> None:
        while self._working.wait() and not self._closed:
            self._working.clear()
            time.sleep(self._stall)
            if not self._due.empty():
                self._working.set()
                if time.monotonic() - self._ended > self._stall:
                    self._start()
