"""The shared state of an upload that has writers.

Theory of operation. All writers of one upload share one `OpenUpload`. No other class changes its state.

* A chunk is written by one writer at a time: `take` waits for its holder to `release` it. Bytes that replace
  a stored chunk become a new part; the row decides which part counts. Both parts are on the disk until the
  commit, so the second one needs room in the quota of the owner. Without room, bytes are only compared with
  the stored ones: the same bytes may always be sent again.
* `commit` admits one flush, commit, takeover or completion at a time.
* Once every chunk is stored the upload is sealed, and `take` hands out no part until the commit has ended:
  then the upload is complete, or open again. No byte of a complete upload changes.
* After a flush or commit with an unknown outcome the upload is broken. Then it hands out no part, because the
  row may already refer to any part written so far, and acknowledges no chunk, until all of its writers have
  ended and its chunks have been read back from the medium and compared with their checksums.
* Fencing: `supersede` revokes the previous writer and gives the next one a higher epoch.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from facecli.core.blobs import Part, PartWriter, StagedBlob
from facecli.core.errors import AlreadyExists, InvalidInput, NotFound, QuotaReached, StorageFailed, TakenOver
from facecli.uploads.quota import Quota
from facecli.uploads.upload import Chunk, Upload

Claim = Callable[[], tuple[Upload, Sequence[Chunk]]]


class OpenUpload:
    """An upload with its staged blob; `unclaimed` if it never had a writer to supersede."""

    def __init__(
        self,
        upload: Upload,
        blob: StagedBlob,
        chunks: Iterable[Chunk],
        *,
        quota: Quota,
        unclaimed: bool = False,
    ) -> None:
        self._upload = upload
        self._blob = blob
        self._quota = quota
        self._spare: dict[int, int] = {}  # bytes reserved for replacements, by chunk
        self._chunks = {chunk.index: chunk for chunk in chunks}
        self._unclaimed = unclaimed
        self._broken = False
        self._users = 0
        self._revoke: Callable[[], None] = lambda: None  # the newest writer
        self._committing = threading.Lock()
        self._changed = threading.Condition()
        self._busy: set[int] = set()  # chunks held by a writer
        self._received: set[int] = set()  # busy chunks that are complete but not stored yet
        self._sealed = upload.completed

    @property
    def upload(self) -> Upload:
        """The upload as of the last commit."""
        return self._upload

    @property
    def chunks(self) -> Mapping[int, Chunk]:
        """Stored chunks by index."""
        return self._chunks

    @property
    def broken(self) -> bool:
        return self._broken

    def join(self) -> None:
        """Add a user."""
        self._users += 1

    def leave(self) -> bool:
        """Remove a user; return whether it was the last one."""
        self._users -= 1
        return not self._users

    def close(self) -> None:
        self._blob.close()

    def supersede(self, claim: Claim) -> int:
        """Revoke the current writer and return the epoch of the next one; call it within `commit`."""
        self._revoke()
        if self._unclaimed:
            self._unclaimed = False
        else:
            self._upload, stored = claim()
            # Another server may have stored chunks meanwhile, and replaced or forgotten some.
            self._chunks = {chunk.index: chunk for chunk in stored}
        return self._upload.epoch

    def attach(self, revoke: Callable[[], None]) -> None:
        """Set the function that revokes the newest writer."""
        self._revoke = revoke

    def revoke_writer(self) -> None:
        self._revoke()

    def take(self, index: int) -> PartWriter | None:
        """Hold a chunk exclusively; return the part to write.

        None if bytes may only be compared: in a complete upload, or without room in the quota for a second
        version. Waits for the current holder, and for a commit that may complete the upload. StorageFailed
        for a broken upload.
        """
        with self._changed:
            self._changed.wait_for(lambda: index not in self._busy and self._sealed == self._upload.completed)
            self._check_intact()
            part = None if self._sealed else self._part(index)
            self._busy.add(index)
            return part

    def mark_received(self, index: int) -> None:
        """Record that all bytes of a held chunk have arrived."""
        with self._changed:
            self._received.add(index)

    def settle(self, seconds: float) -> None:
        """Wait, for `seconds` at most, until every chunk received so far is stored or abandoned."""
        with self._changed:
            awaited = set(self._received)
            self._changed.wait_for(lambda: not awaited & self._received, seconds)

    def release(self, index: int, part: PartWriter | None) -> None:
        """Stop holding a chunk; abort the part unless it is the stored one.

        In a broken upload the row may refer to the part or not, so its bytes stay until the next opening.
        """
        with self._changed:
            self._busy.discard(index)
            self._received.discard(index)
            try:
                if part:
                    self._end(part, self._chunks.get(index))
            finally:
                if size := self._spare.pop(index, 0):
                    self._quota.release_spare(self._upload.owner, size)
                self._changed.notify_all()

    def flush(self, tokens: Collection[str]) -> None:
        """Make these finished parts durable; StorageFailed for a broken upload."""
        self._check_intact()
        with self.unsure():
            self._blob.sync(tokens)

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Hold the upload for one commit; on leaving, a sealed upload is complete or open again."""
        with self._committing:
            try:
                yield
            finally:
                with self._changed:
                    self._sealed = self._upload.completed
                    self._changed.notify_all()

    @contextmanager
    def unsure(self) -> Iterator[None]:
        """Mark the upload as broken when the block fails with anything but a clear refusal."""
        try:
            yield
        except (AlreadyExists, InvalidInput, NotFound, TakenOver):
            raise
        except BaseException:
            self._broken = True
            raise

    def seal(self, chunks: Sequence[Chunk]) -> bool:
        """Hand out no more parts until the commit ends; complete the blob in place if its parts are in order.

        Return whether they are.
        """
        parts = self._seal(chunks)
        if not self._blob.in_order(parts):
            return False
        self._blob.complete(parts)
        return True

    def rearrange(self, chunks: Sequence[Chunk], commit: Callable[[Sequence[Chunk]], object]) -> None:
        """Hand out no more parts until the commit ends; bring the parts into order, and complete the blob.

        `commit` records chunks whose tokens have changed, durably.
        """
        parts, current = self._seal(chunks), list(chunks)
        while moved := self._blob.rearrange(parts):
            before = [parts[index].token for index in moved]
            for index, token in moved.items():
                current[index] = replace(current[index], token=token)
                parts[index] = Part(token=token, size=parts[index].size)
            commit([current[index] for index in moved])
            self._blob.release(before)
        self._chunks.update({chunk.index: chunk for chunk in current})
        self._blob.complete(parts)

    def no_room(self, index: int) -> QuotaReached:
        """The error for other bytes of a stored chunk that the quota has no room for."""
        return self._quota.no_room(
            self._upload.owner, f"a second version of chunk {index} of {self._upload.name} needs space"
        )

    def discard(self) -> None:
        """Free the bytes of a deleted upload, which writers may still have open."""
        self._blob.discard()

    def update(self, upload: Upload) -> None:
        """Record a committed state of the row."""
        self._upload = upload

    def add_chunk(self, chunk: Chunk) -> None:
        """Record a committed chunk."""
        self._chunks[chunk.index] = chunk

    def lose_chunks(self, upload: Upload, lost: Iterable[Chunk]) -> None:
        """Remove chunks that the medium has lost; `upload` is the row without them."""
        self._upload = upload
        for chunk in lost:
            del self._chunks[chunk.index]

    def _check_intact(self) -> None:
        if self._broken:
            raise StorageFailed(f"storing {self._upload.name} failed; waiting for its writers to end")

    def _seal(self, chunks: Sequence[Chunk]) -> list[Part]:
        with self._changed:
            self._sealed = True
        return [Part(token=chunk.token, size=chunk.size) for chunk in chunks]

    def _part(self, index: int) -> PartWriter | None:
        stored = self._chunks.get(index)
        if stored is None:
            return self._blob.part(index, replaces=None)
        size = self._upload.chunk_length(index) or self._upload.chunk_size
        if not self._quota.reserve_spare(self._upload.owner, size):
            return None
        self._spare[index] = size
        return self._blob.part(index, replaces=stored.token)

    def _end(self, part: PartWriter, stored: Chunk | None) -> None:
        if self._broken:
            part.abandon()
        elif stored and stored.token == part.token:
            part.commit()
        else:
            part.abort()
