"""Verification of uploads: the row against its chunks, the chunks against the stored bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from facecli.core.blobs import Part, PartLayout
from facecli.core.checksums import join
from facecli.core.damage import BlobVerifier, Damage, DamageKind
from facecli.core.errors import InvalidInput
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """An upload as read. `size` is that of its blob, None if it is missing; `lost` are chunk indexes."""

    upload: Upload
    chunks: Mapping[int, Chunk]
    size: int | None
    lost: Sequence[int]

    @property
    def surplus(self) -> bool:
        """Whether a complete blob is too long."""
        return self.upload.completed and (self.size or 0) > (self.upload.size or 0)

    @property
    def miscounted(self) -> bool:
        sizes = [chunk.size for chunk in self.chunks.values()]
        return (self.upload.stored_chunks, self.upload.stored_bytes) != (len(sizes), sum(sizes))

    @property
    def wrong_sum(self) -> bool:
        """Whether a complete upload has every chunk, but another checksum than they do."""
        chunks = sorted(self.chunks.values(), key=lambda chunk: chunk.index)
        whole = self.upload.completed and not self.lost
        return whole and join((chunk.crc32c, chunk.size) for chunk in chunks) != self.upload.crc32c


class UploadVerifier:
    """Finds and repairs damage of uploads.

    `quick` compares lengths and reads no bytes. A repaired upload expires after `expiry` seconds.
    """

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
        """The damage of an upload; None if it is intact."""
        state = self._state(upload)
        if not (problems := list(_problems(state))):
            return None
        return Damage(
            kind=DamageKind.UPLOAD,
            id=upload.id,
            problem=f"{upload.name}: {', '.join(problems)}",
            remedy=_remedy(state),
            repair=lambda: self._repair(state),
        )

    def _state(self, upload: Upload) -> _State:
        size = self._verifier.size(upload.blob_key)
        chunks = {chunk.index: chunk for chunk in self._repository.chunks(upload.id)}
        unknown = set(range(upload.total_chunks)) - set(chunks) if upload.completed else set[int]()
        lost = {index for index, chunk in chunks.items() if not self._holds(upload, chunk, size or 0)}
        return _State(upload=upload, chunks=chunks, size=size, lost=sorted(lost | unknown))

    def _holds(self, upload: Upload, chunk: Chunk, size: int) -> bool:
        """Whether the blob has the bytes of a chunk: by offset if complete, by token if staged."""
        key, part = upload.blob_key, Part(token=chunk.token, size=chunk.size)
        offset = chunk.index * upload.chunk_size
        if upload.completed:
            is_long_enough = offset + chunk.size <= size
        else:
            is_long_enough = self._verifier.blobs.has_part(key, part)
        if self._quick or not is_long_enough or not _fits(upload, chunk):
            self._verifier.on_bytes(chunk.size)
            return is_long_enough and _fits(upload, chunk)
        if upload.completed:
            return self._verifier.crc32c(key, offset=offset, size=chunk.size) == chunk.crc32c
        return self._verifier.has_part(key, part, chunk.crc32c)

    def _repair(self, state: _State) -> None:
        """Repair in steps; after a crash between two of them, the next run does the rest."""
        upload = state.upload
        if state.surplus and upload.size is not None:
            self._verifier.blobs.trim(upload.blob_key, upload.size)
        if not upload.completed:
            self._repository.forget_chunks(upload.id, state.lost)
        elif state.lost or state.wrong_sum:
            self._reopen(state)

    def _reopen(self, state: _State) -> None:
        """Make a complete upload incomplete again, without its lost chunks."""
        upload, now = state.upload, self._clock()
        layout = PartLayout(part_size=upload.chunk_size, count=upload.total_chunks, size=upload.size)
        tokens = self._verifier.blobs.reopen(upload.blob_key, layout)
        intact = [
            replace(chunk, token=tokens[index])
            for index, chunk in sorted(state.chunks.items())
            if index not in state.lost
        ]
        self._repository.reopen(upload.id, intact, now=now, expires_at=now + self._expiry)


def _fits(upload: Upload, chunk: Chunk) -> bool:
    try:
        return upload.chunk_length(chunk.index) in {None, chunk.size}
    except InvalidInput:
        return False


def _problems(state: _State) -> Iterator[str]:
    upload = state.upload
    if state.lost and state.size is None:
        yield "its file is missing"
    elif state.lost:
        yield f"{_chunks(state.lost)} lost"
    if upload.completed and state.size is not None and state.size != upload.size:
        yield f"its file has {state.size} bytes instead of {upload.size}"
    if state.wrong_sum:
        yield "its checksum is not that of its chunks"
    if not upload.completed and state.miscounted:
        yield f"its row miscounts {upload.stored_bytes} bytes in {upload.stored_chunks} chunks"


def _remedy(state: _State) -> str:
    if state.lost:
        return f"facecli upload of the same file sends only {_chunks(state.lost)} again"
    if state.wrong_sum:
        return "the upload becomes incomplete; facecli upload of the same file completes it"
    return "the surplus bytes are cut off" if state.surplus else "the chunks are counted again"


def _chunks(indexes: Sequence[int]) -> str:
    """`chunk 7`, `chunks 0-2, 7`."""
    starts = [indexes[0], *(after for before, after in pairwise(indexes) if after != before + 1)]
    ends = [*(before for before, after in pairwise(indexes) if after != before + 1), indexes[-1]]
    spans = (f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
    return f"chunk{'s' if len(indexes) > 1 else ''} {', '.join(spans)}"
