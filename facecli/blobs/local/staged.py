"""A staged blob in one local file.

Theory of operation. The home position of a part is its index times the part size. A part that replaces a
committed one is written to a spare position after the last home position, so committed bytes are never
overwritten. A token is the position in decimal digits.

A spare position is lent to a part until the part is committed or aborted; an aborted part frees it again. If
every part is at its home position and no spare position is lent, completion only truncates the file.
Otherwise it copies the parts in order into a second blob.
"""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from facecli.blobs.local.direct import DirectRun
from facecli.blobs.local.file import BlobFile
from facecli.core.blobs import Part, PartLayout, PartWriter

CreateFile = Callable[[str, int], BlobFile]


class LocalStagedBlob:
    """A StagedBlob. `create` opens a new file for a key and a size, replacing an older one."""

    def __init__(self, key: str, file: BlobFile, layout: PartLayout, *, create: CreateFile) -> None:
        self._key = key
        self._file = file
        self._part_size = layout.part_size
        self._create = create
        self._lock = threading.Lock()
        self._end = max(file.size(), layout.count * layout.part_size)
        self._spare: set[int] = set()  # free positions after the last home position
        self._lent: set[int] = set()  # spare positions of parts neither committed nor aborted

    def part(self, index: int, *, replaces: str | None) -> PartWriter:
        position = index * self._part_size if replaces is None else self._lend()
        return _LocalPartWriter(self._file.run(position), position, give_back=self._give_back)

    def sync(self) -> None:
        self._file.flush()

    def in_order(self, parts: Sequence[Part]) -> bool:
        with self._lock:
            if self._lent:
                return False
        return all(int(part.token) == index * self._part_size for index, part in enumerate(parts))

    def complete(self, parts: Sequence[Part], *, spare_key: str) -> str:
        size = sum(part.size for part in parts)
        if not self.in_order(parts):
            self._copy(parts, spare_key, size)
            return spare_key
        if self._file.size() != size:
            self._file.truncate(size)
        return self._key

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _copy(self, parts: Sequence[Part], key: str, size: int) -> None:
        target = self._create(key, size)
        try:
            for index, part in enumerate(parts):
                target.write(index * self._part_size, self._file.read(int(part.token), part.size))
            target.flush()
        finally:
            target.close()

    def _lend(self) -> int:
        with self._lock:
            if not self._spare:
                self._spare.add(self._end)
                self._end += self._part_size
            position = self._spare.pop()
            self._lent.add(position)
            return position

    def _give_back(self, position: int, committed: bool) -> None:
        with self._lock:
            if position in self._lent:
                self._lent.discard(position)
                if not committed:
                    self._spare.add(position)


class _LocalPartWriter:
    def __init__(self, run: DirectRun, position: int, *, give_back: Callable[[int, bool], None]) -> None:
        self._run = run
        self.token: str | None = None
        self._position = position
        self._give_back = give_back

    def write(self, data: bytes | memoryview) -> None:
        self._run.write(data)

    def finish(self) -> str:
        self._run.end()
        self.token = str(self._position)
        return self.token

    def commit(self) -> None:
        self._give_back(self._position, True)

    def abort(self) -> None:
        self._run.drop()
        self._give_back(self._position, False)
