"""A staged blob in one local file.

Theory of operation. A part that replaces a committed one is written to another slot of the file (see
`slots.py`), so committed bytes are never overwritten. A token is the position of a slot in decimal digits.
When a replacement is committed, aborted or found after a crash, the slot that no row refers to is freed: its
bytes leave the disk, and the slot may be used again.

If every part is at its home position, completion only truncates the file. Otherwise `rearrange` copies parts
home, a few at a time, and the caller commits their new positions before the next few are copied.
Completion revokes the parts that are still being written: no byte of a complete blob changes.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from facecli.blobs.local.file import BlobFile
from facecli.blobs.local.run import SequentialRun
from facecli.blobs.local.slots import Slots
from facecli.core.blobs import Part, PartLayout, PartWriter
from facecli.core.errors import FacecliError

_log = logging.getLogger(__name__)

MOVE_SIZE = 16 * 1024 * 1024  # bytes that `rearrange` copies at once, or one part


class LocalStagedBlob:
    """A StagedBlob. `tokens` are those of the committed parts by index; None for a complete blob.

    `check` raises StorageFailed when the file is no longer where the store is.
    """

    def __init__(
        self,
        file: BlobFile,
        layout: PartLayout,
        *,
        tokens: Mapping[int, str] | None,
        check: Callable[[], None],
    ) -> None:
        self.doubtful = False
        self._file = file
        self._check_place = check
        committed = {index: int(token) for index, token in (tokens or {}).items()}
        self._slots = Slots(part_size=layout.part_size, count=layout.count, committed=committed)
        self._part_size = layout.part_size
        self._lock = threading.Lock()
        self._writers: dict[int, LocalPartWriter] = {}  # of parts neither committed nor aborted, by position
        if tokens is not None:
            self._reclaim(self._slots.unused(committed))

    def part(self, index: int, *, replaces: str | None) -> PartWriter:
        with self._lock:
            position = self._slots.take_home(index) if replaces is None else self._slots.take(index)
            run = self._file.run(position)
            writer = LocalPartWriter(
                self, run, position, replaces=None if replaces is None else int(replaces)
            )
            self._writers[position] = writer
            return writer

    def sync(self, tokens: Collection[str]) -> None:
        self._file.flush()
        self._check_place()

    def in_order(self, parts: Sequence[Part]) -> bool:
        with self._lock:
            replacing = any(writer.replaces is not None for writer in self._writers.values())
        return not replacing and not self._displaced(parts)

    def rearrange(self, parts: Sequence[Part]) -> Mapping[int, str]:
        self._revoke_writers()
        moved, size = dict[int, str](), 0
        for index in self._displaced(parts):
            if moved and size + parts[index].size > MOVE_SIZE:
                break
            with self._lock:
                home = self._slots.take_home(index)
            self._file.write(home, self._file.read(int(parts[index].token), parts[index].size))
            moved[index] = str(home)
            size += parts[index].size
        if moved:
            self._file.flush()
        return moved

    def release(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            self.give_back(int(token))

    def complete(self, parts: Sequence[Part]) -> None:
        self._revoke_writers()
        size = sum(part.size for part in parts)
        if self._file.size() != size:
            self._file.truncate(size)

    def discard(self) -> None:
        self._revoke_writers()
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def settle(self, writer: "LocalPartWriter", *, unused: int | None) -> None:
        """End a part; the slot at `unused`, if any, is freed. Nothing changes once the part is revoked."""
        with self._lock:
            if self._writers.get(writer.position) is not writer:
                return
            del self._writers[writer.position]
        if unused is not None:
            self.give_back(unused)

    def give_back(self, position: int) -> None:
        """Free a slot, and its bytes on the disk."""
        with self._lock:
            self._slots.give_back(position)
            self._reclaim([position])

    def _displaced(self, parts: Sequence[Part]) -> list[int]:
        """Indexes of the parts that are not at their home position."""
        return [index for index, part in enumerate(parts) if int(part.token) != index * self._part_size]

    def _revoke_writers(self) -> None:
        with self._lock:
            writers = list(self._writers.values())
            self._writers.clear()
        for writer in writers:
            writer.revoke()

    def _reclaim(self, positions: Sequence[int]) -> None:
        """Free the bytes of unused slots: cut the file after the last slot in use, punch holes before it.

        A failure costs space, and no upload.
        """
        try:
            if self._file.size() > self._slots.end:
                self._file.shorten(self._slots.end)
            for position in positions:
                if position < self._slots.end:
                    self._file.punch(position, self._part_size)
        except FacecliError as error:
            _log.warning("space of a replaced chunk not freed", extra={"error": error.message})


class LocalPartWriter:
    """A PartWriter at one position; `replaces` is that of the part before."""

    def __init__(
        self, blob: LocalStagedBlob, run: SequentialRun, position: int, *, replaces: int | None
    ) -> None:
        self._blob = blob
        self._run = run
        self._lock = threading.Lock()
        self._revoked = False
        self.position = position
        self.replaces = replaces
        self.token: str | None = None
        self.sending: Future[None] | None = None

    def write(self, data: bytes | memoryview) -> None:
        with self._active() as active:
            if active:
                self._run.write(data)

    def reserve(self) -> None:
        pass

    def finish(self) -> str | None:
        with self._active() as active:
            if active:
                self._run.end()
                self.token = str(self.position)
            return self.token

    def commit(self) -> None:
        self._blob.settle(self, unused=self.replaces)

    def abort(self) -> None:
        # A first version is written over by the next one, and its space stays reserved.
        self._blob.settle(self, unused=None if self.replaces is None else self.position)

    def abandon(self) -> None:
        pass  # its slot stays taken until the blob is opened again

    def revoke(self) -> None:
        """Write nothing more; on return, no write is in progress."""
        with self._lock:
            self._revoked = True
            self.token = None

    @contextmanager
    def _active(self) -> Iterator[bool]:
        with self._lock:
            yield not self._revoked
