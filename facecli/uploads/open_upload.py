"""An upload's file while somebody writes it: what its writers share."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from facecli.core.blobs import BlobWriter
from facecli.core.errors import AlreadyExists, InvalidInput, NotFound, StorageFailed, TakenOver
from facecli.uploads.upload import Chunk, Upload


class OpenUpload:
    """What the writers of one upload share: its stored chunks, and which chunk is being written now.

    Acknowledged bytes are never written over: other bytes for a stored chunk get a place behind the file's
    end, and the row decides which place counts. Once every chunk is stored the file is sealed: no byte of it
    changes any more.
    """

    def __init__(
        self, upload: Upload, blob: BlobWriter, chunks: Iterable[Chunk], *, unclaimed: bool = False
    ) -> None:
        self.upload = upload
        self.unclaimed = unclaimed  # nobody has written to it yet: its first writer supersedes nobody
        self.blob = blob
        self.chunks = {chunk.index: chunk for chunk in chunks}
        self.broken = False  # after a failed flush or commit, what the disk or the row holds is not known
        self.users = 0
        self.revoke: Callable[[], None] = lambda: None  # the newest writer
        self.committing = threading.Lock()  # one flush, commit, take-over or completion at a time
        self._lock = threading.Condition()
        self._busy: set[int] = set()
        self._whole: set[int] = set()  # chunks that are written and not stored yet
        self._sealed = upload.completed
        self._home_end = upload.total_chunks * upload.chunk_size
        self._end = max(blob.size(), self._home_end)
        self._spare: set[int] = set()  # places behind the home of the last chunk: free ones
        self._lent: set[int] = set()  # and those being written

    def take(self, index: int) -> int | None:
        """Hold a chunk alone, waiting for who has it; the position its bytes go to, None in a complete file.

        Waits also for the commit that makes the file complete, or does not after all.
        """
        with self._lock:
            self._lock.wait_for(lambda: index not in self._busy and self._sealed == self.upload.completed)
            self._busy.add(index)
            if self._sealed:
                return None
            if index not in self.chunks:
                return index * self.upload.chunk_size
            if not self._spare:
                self._spare.add(self._end)
                self._end += self.upload.chunk_size
            position = self._spare.pop()
            self._lent.add(position)
            return position

    def written(self, index: int) -> None:
        """A chunk that is held has come whole."""
        with self._lock:
            self._whole.add(index)

    def settle(self, seconds: float) -> None:
        """Wait until every chunk that has come whole by now is stored, or given up; so long at most."""
        with self._lock:
            awaited = set(self._whole)
            self._lock.wait_for(lambda: not awaited & self._whole, seconds)

    def release(self, index: int, position: int | None) -> None:
        """Let others have the chunk, and a place behind the end that was not used after all."""
        with self._lock:
            self._busy.discard(index)
            self._whole.discard(index)
            if position in self._lent:
                self._lent.discard(position)
                if self.chunks[index].position != position:
                    self._spare.add(position)
            self._lock.notify_all()

    def seal(self, chunks: Mapping[int, Chunk], size: int) -> bool:
        """Give no place to anybody before the commit ends; True when the blob is the file, and stays it."""
        with self._lock:
            self._sealed = True
            chunk_size = self.upload.chunk_size
            if self._lent or any(chunk.position != index * chunk_size for index, chunk in chunks.items()):
                return False
        if self.blob.size() != size:
            self.blob.truncate(size)
        return True

    @contextmanager
    def commit(self) -> Iterator[None]:
        """While chunks are stored. What was sealed is complete when it ends, or open again."""
        with self.committing:
            try:
                yield
            finally:
                with self._lock:
                    self._sealed = self.upload.completed
                    self._lock.notify_all()

    def copy(self, chunks: Iterable[Chunk], target: BlobWriter) -> None:
        """Every chunk to its home in another blob, durably."""
        for chunk in chunks:
            target.write(chunk.index * self.upload.chunk_size, self.blob.read(chunk.position, chunk.size))
        target.flush()

    def flush(self) -> None:
        """Make what was written durable. After a failure nothing is, until the file was opened anew."""
        if self.broken:
            raise StorageFailed(f"storing {self.upload.name} failed; waiting for its writers to end")
        with self.unsure():
            self.blob.flush()

    @contextmanager
    def unsure(self) -> Iterator[None]:
        """Break the file when this ends with anything but a clear refusal."""
        try:
            yield
        except (AlreadyExists, InvalidInput, NotFound, TakenOver):
            raise
        except BaseException:
            self.broken = True
            raise
