"""Compares an upload's row with its chunks, and these with its bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from facecli.core.checksums import join
from facecli.core.damage import BlobVerifier, Damage, DamageKind
from facecli.core.errors import InvalidInput
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The chunks of an upload as they should lie in its file, and how long that is; None for missing."""

    upload: Upload
    chunks: Mapping[int, Chunk]
    size: int | None
    lost: Sequence[int]

    @property
    def surplus(self) -> bool:
        """Whether a complete file goes on behind its end."""
        return self.upload.completed and (self.size or 0) > (self.upload.size or 0)

    @property
    def miscounted(self) -> bool:
        sizes = [chunk.size for chunk in self.chunks.values()]
        return (self.upload.stored_chunks, self.upload.stored_bytes) != (len(sizes), sum(sizes))

    @property
    def wrong_sum(self) -> bool:
        """Whether the checksum of a complete file is not that of its chunks, none of which is lost."""
        chunks = sorted(self.chunks.values(), key=lambda chunk: chunk.index)
        whole = self.upload.completed and not self.lost
        return whole and join((chunk.crc32c, chunk.size) for chunk in chunks) != self.upload.crc32c


class UploadVerifier:
    """`quick` compares lengths and reads no bytes; `expiry` is the time in seconds that a repair gives."""

    def __init__(
        self,
        *,
        repository: UploadRepository,
        verifier: BlobVerifier,
        clock: Callable[[], float],
        expiry: float,
        quick: bool,
    ) -> None:
        self._repository = repository
        self._verifier = verifier
        self._clock = clock
        self._expiry = expiry
        self._quick = quick

    def damage(self, upload: Upload) -> Damage | None:
        """What is wrong with it; None when all agrees."""
        found = self._found(upload)
        if not (wrong := list(_wrong(found))):
            return None
        return Damage(
            kind=DamageKind.UPLOAD,
            id=upload.id,
            problem=f"{upload.name}: {', '.join(wrong)}",
            remedy=_remedy(found),
            repair=lambda: self._repair(found),
        )

    def _found(self, upload: Upload) -> _Found:
        size = self._verifier.size(upload.blob_key)
        chunks = {chunk.index: _placed(upload, chunk) for chunk in self._repository.chunks(upload.id)}
        unknown = set(range(upload.total_chunks)) - set(chunks) if upload.completed else set[int]()
        lost = {index for index, chunk in chunks.items() if not self._holds(upload, chunk, size or 0)}
        return _Found(upload=upload, chunks=chunks, size=size, lost=sorted(lost | unknown))

    def _holds(self, upload: Upload, chunk: Chunk, size: int) -> bool:
        there = _fits(upload, chunk) and chunk.position + chunk.size <= size
        if self._quick or not there:
            self._verifier.on_bytes(chunk.size)
            return there
        crc32c = self._verifier.crc32c(upload.blob_key, offset=chunk.position, size=chunk.size)
        return crc32c == chunk.crc32c

    def _repair(self, found: _Found) -> None:
        """Each step leaves what a second run finds and goes on with."""
        upload = found.upload
        if found.surplus and upload.size is not None:
            with self._verifier.blobs.writer(upload.blob_key) as blob:
                blob.truncate(upload.size)
        if not upload.completed:
            self._repository.forget_chunks(upload.id, found.lost)
        elif found.lost or found.wrong_sum:
            now = self._clock()
            self._repository.reopen(upload.id, found.lost, now=now, expires_at=now + self._expiry)


def _placed(upload: Upload, chunk: Chunk) -> Chunk:
    """Where its bytes are: once the upload is complete, one behind the other."""
    return replace(chunk, position=chunk.index * upload.chunk_size) if upload.completed else chunk


def _fits(upload: Upload, chunk: Chunk) -> bool:
    try:
        return upload.chunk_length(chunk.index) in {None, chunk.size}
    except InvalidInput:
        return False


def _wrong(found: _Found) -> Iterator[str]:
    upload = found.upload
    if found.lost and found.size is None:
        yield "its file is missing"
    elif found.lost:
        yield f"{_chunks(found.lost)} lost"
    if upload.completed and found.size is not None and found.size != upload.size:
        yield f"its file has {found.size} bytes instead of {upload.size}"
    if found.wrong_sum:
        yield "its checksum is not that of its chunks"
    if not upload.completed and found.miscounted:
        yield f"its row tells of {upload.stored_bytes} bytes in {upload.stored_chunks} chunks, wrongly"


def _remedy(found: _Found) -> str:
    if found.lost:
        return f"facecli upload of the same file sends {_chunks(found.lost)} again and nothing else"
    if found.wrong_sum:
        return "it is incomplete again; facecli upload of the same file completes it"
    return "what lies behind its end is cut off" if found.surplus else "the chunks are counted anew"


def _chunks(indexes: Sequence[int]) -> str:
    """`chunk 7`, `chunks 0-2, 7`."""
    starts = [indexes[0], *(after for before, after in pairwise(indexes) if after != before + 1)]
    ends = [*(before for before, after in pairwise(indexes) if after != before + 1), indexes[-1]]
    spans = (f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
    return f"chunk{'s' if len(indexes) > 1 else ''} {', '.join(spans)}"
