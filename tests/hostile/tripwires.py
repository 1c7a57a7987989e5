"""Traps: files of somebody else's that tell when they are opened, an address that tells when it is called."""

import ctypes
import os
import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_IN_OPEN = 0x20  # linux/inotify.h
_LIBC = ctypes.CDLL(None, use_errno=True)


class Traps:
    """Armed when entered; `sprung` names what was opened or called since it was asked last."""

    def __init__(self, *victims: Path) -> None:
        self._victims = victims
        self._watched: dict[int, Path] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def sprung(self) -> list[str]:
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
        # Each is as long as its head: a file that is watched itself has no name in its events.
        names = [self._watched[number].name for number, _, _, _ in struct.iter_unpack("iIII", events)]
        return list(dict.fromkeys(names))

    def _called(self) -> list[str]:
        try:
            connection, _ = self._server.accept()
        except BlockingIOError:
            return []
        connection.close()
        return [self.address]
