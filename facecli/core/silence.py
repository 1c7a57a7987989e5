"""For how long nothing was heard of an upload, by a clock that nobody sets."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

GRACE = 3600.0  # seconds; nobody retries for longer without a person who would begin the upload again


class Expiring(Protocol):
    """An upload, or what else has an end; `expires_at` by the clock on the wall."""

    @property
    def id(self) -> str: ...

    @property
    def expires_at(self) -> float: ...


E = TypeVar("E", bound=Expiring)


class Silence:
    """What the clock on the wall says to be over is over only when this process has measured that, too.

    For that clock jumps, and after a start it may be wrong. What is heard here is measured for all of the
    expiry. Of an upload from before its start a process knows no more than the wall: it waits for the grace,
    or the expiry if that is shorter, whether anybody comes.
    """

    def __init__(self, *, expiry: float, monotonic: Callable[[], float]) -> None:
        self._expiry = expiry
        self._monotonic = monotonic
        self._heard: dict[str, float] = {}
        self._seen: dict[str, tuple[float, float]] = {}  # as they expire by the wall, and since when
        self._lock = threading.Lock()

    def heard(self, upload_ids: Iterable[str]) -> None:
        """Somebody begins, writes or has written."""
        with self._lock:
            self._heard.update(dict.fromkeys(upload_ids, self._monotonic()))

    def over(self, overdue: Sequence[E]) -> list[E]:
        """Which of all the uploads that are over by the wall are over indeed; to be asked again and again."""
        with self._lock:
            now, ids = self._monotonic(), {upload.id for upload in overdue}
            recent = now - self._expiry
            self._heard = {key: at for key, at in self._heard.items() if key in ids or at > recent}
            before, self._seen = self._seen, {}
            for upload in overdue:
                self._seen[upload.id] = (upload.expires_at, now)
                if (known := before.get(upload.id)) and known[0] == upload.expires_at:
                    self._seen[upload.id] = known
            return [upload for upload in overdue if self._is_over(upload.id, now)]

    def _is_over(self, upload_id: str, now: float) -> bool:
        if upload_id in self._heard:
            return now - self._heard[upload_id] >= self._expiry
        return now - self._seen[upload_id][1] >= min(self._expiry, GRACE)
