"""Tripwires: files of another user that report being opened, an address that reports connections."""

import ctypes
import os
import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_IN_OPEN = 0x20  # linux/inotify.h
_LIBC = ctypes.CDLL(None, use_errno=True)


class Tripwires:
    """A context manager. `triggered` returns the files opened and addresses called since the last call."""

    def __init__(self, *victims: Path) -> None:
        self._victims = victims
        self._watched: dict[int, Path] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def triggered(self) -> list[str]:
        return [*self._opened(), *self._called()]

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self._inotify = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._inotify >= 0, os.strerror(ctypes.get_errno())
        for victim in self._victims:
            number = _LIBC.inotify_add_watch(self._inotify, os.fsencode(victim), _IN_OPEN)
            assert number >= 0, os.strerror(ctypes.get_errno())
            self._watched[number] = victim
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._inotify)
        self._server.close()

    def _opened(self) -> list[str]:
        try:
            events = os.read(self._inotify, 1024 * 1024)
        except BlockingIOError:
            return []
        # Events have no name, and so a fixed length, because the files themselves are watched.
        names = [self._watched[number].name for number, _, _, _ in struct.iter_unpack("iIII", events)]
        return list(dict.fromkeys(names))

    def _called(self) -> list[str]:
        try:
            connection, _ = self._server.accept()
        except BlockingIOError:
            return []
        connection.close()
        return [self.address]
