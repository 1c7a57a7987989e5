"""A staged blob in S3: a multipart upload.

Theory of operation. Part `index` of the blob is part `index + 1` of the multipart upload. Its bytes are kept
in memory until it is finished; then they are sent in the background, and `sync` waits for S3 to have them.
S3 replaces a part as soon as another one of its number arrives, which would destroy a committed part before
its replacement is committed. So a replacement is an object of its own, until `rearrange` sends
it to its number. The same repeated later does no harm, because the object stays until `release`.

Completion ends the parts, so it follows the commit of all of them. If the process ends before it commits the
completion, the upload is gone and the object there: the next completion finds that.

A late request of a process that no longer writes may replace a part by other bytes. The MD5 in the token
shows that: completion fails, nothing of it is visible, and the caller forgets the part.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

from facecli.blobs.s3.bucket import MAX_PARTS, Bucket
from facecli.blobs.s3.part import S3PartWriter
from facecli.blobs.s3.pieces import Piece
from facecli.blobs.s3.sender import PartSender
from facecli.blobs.s3.tokens import Home, Spare, Token, parse
from facecli.core.blobs import Part, PartLayout, PartWriter
from facecli.core.errors import FacecliError, FileTooLarge, StorageFailed

SPARES = "parts"  # beginning of the keys of parts that replace others; no blob has it

_log = logging.getLogger(__name__)


class S3StagedBlob:
    """A StagedBlob by its key and multipart upload: empty for a complete blob, None to begin one at need."""

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        layout: PartLayout,
        *,
        upload: str | None,
        sender: PartSender,
        doubtful: bool,
    ) -> None:
        self.bucket = bucket
        self.key = key
        self.doubtful = doubtful
        self._part_size = layout.part_size
        self._sender = sender
        self._upload = upload
        self._lock = threading.Lock()
        self._writers = set[S3PartWriter]()  # of parts neither committed nor aborted
        self._sending: dict[str, Future[None]] = {}  # by token: finished parts that no `sync` has seen
        self._last: dict[int, Future[None]] = {}  # the newest request by part number

    @property
    def upload(self) -> str:
        """The id of the multipart upload that takes parts."""
        with self._lock:
            if self._upload is None:
                self._upload = self.bucket.create_upload(self.key)
            return self._upload

    def part(self, index: int, *, replaces: str | None) -> PartWriter:
        if index >= MAX_PARTS:
            raise FileTooLarge(f"an object in S3 has at most {MAX_PARTS} parts; use larger chunks")
        writer = S3PartWriter(self, index, replaces=None if replaces is None else parse(replaces))
        with self._lock:
            self._writers.add(writer)
        return writer

    def reserve(self, cancelled: Callable[[], bool]) -> bool:
        """Wait for the place of a request; False once `cancelled`."""
        return self._sender.reserve(self.key, cancelled)

    def free_place(self) -> None:
        """Give back the place of a request that is not sent."""
        self._sender.free_place(self.key)

    def end_waits(self) -> None:
        """Look again whether waits for a place are cancelled."""
        self._sender.end_waits()

    def send(self, writer: S3PartWriter, token: Token, pieces: Sequence[Piece]) -> Future[None]:
        """Send a finished part in the background, in a place that was reserved for it."""
        with self._lock:
            before = self._last.get(writer.index) if isinstance(token, Home) else None
        sent = self._sender.send(self.key, lambda: self._send(token, pieces, before))
        with self._lock:
            self._sending[str(token)] = sent
            if isinstance(token, Home):
                self._last[writer.index] = sent
        if isinstance(token, Home):
            sent.add_done_callback(lambda done: self._forget(writer.index, done))
        return sent

    def sync(self, tokens: Collection[str]) -> None:
        for token in tokens:
            with self._lock:
                sent = self._sending.get(token)
            if sent:
                sent.result()
                with self._lock:
                    self._sending.pop(token, None)

    def in_order(self, parts: Sequence[Part]) -> bool:
        return False  # see above: completion follows the commit

    def rearrange(self, parts: Sequence[Part]) -> Mapping[int, str]:
        self._revoke_writers()
        tokens = [parse(part.token) for part in parts]
        uploads = {token.upload if isinstance(token, Home) else "" for token in tokens}
        if len(uploads) == 1 and "" not in uploads:
            return {}
        for index, token in enumerate(tokens):
            if not isinstance(token, Home) or token.upload != self.upload:
                return {index: str(self._bring_home(index, token, parts[index].size))}
        return {}

    def release(self, tokens: Sequence[str]) -> None:
        for token in map(parse, tokens):
            self.free(token)

    def complete(self, parts: Sequence[Part]) -> None:
        self._revoke_writers()
        homes = [token for token in (parse(part.token) for part in parts) if isinstance(token, Home)]
        uploads = {home.upload for home in homes}
        if len(homes) != len(parts) or len(uploads) != 1:
            raise StorageFailed(f"the parts of {self.key} are out of order")
        (upload,) = uploads
        size = sum(part.size for part in parts)
        try:
            self.bucket.complete_upload(self.key, upload, self._etags(upload, homes))
        except FileNotFoundError as error:
            if not self._is_complete(size):
                raise StorageFailed(f"the multipart upload of {self.key} is gone") from error
        self._upload = ""

    def discard(self) -> None:
        self._revoke_writers()
        if self._upload:
            with suppress(FileNotFoundError):
                self.bucket.abort_upload(self.key, self._upload)

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def settle(self, writer: S3PartWriter, *, unused: Token | None) -> None:
        """End a part; the object of the token `unused` is deleted. Nothing changes once it is revoked."""
        with self._lock:
            if writer not in self._writers:
                return
            self._writers.discard(writer)
            sent = self._sending.pop(writer.token or "", None)
        if isinstance(unused, Spare):
            if sent:
                sent.add_done_callback(lambda _: self.free(unused))
            else:
                self.free(unused)

    def free(self, token: Token) -> None:
        """Delete the object of a part that replaced another one. A failure costs space, and no upload."""
        if isinstance(token, Spare):
            try:
                self.bucket.delete(spare_key(self.key, token))
            except FacecliError as error:
                _log.warning("space of a replaced chunk not freed", extra={"error": error.message})

    def _forget(self, index: int, done: Future[None]) -> None:
        """Forget a request that has ended, whose error holds the part by its traceback."""
        with self._lock:
            if self._last.get(index) is done:
                del self._last[index]

    def _send(self, token: Token, pieces: Sequence[Piece], before: Future[None] | None) -> None:
        if isinstance(token, Spare):
            self.bucket.put(spare_key(self.key, token), b"".join(pieces))
        elif isinstance(token, Home):
            if before:
                before.exception()  # an aborted part of this number must not arrive later
            try:
                self.bucket.upload_part(self.key, token.upload, token.number, pieces, token.md5)
            except FileNotFoundError as error:
                raise StorageFailed(f"the multipart upload of {self.key} is gone") from error

    def _bring_home(self, index: int, token: Token, size: int) -> Home:
        """Send a part from elsewhere to its number."""
        key, offset = self.key, index * self._part_size
        if isinstance(token, Spare):
            key, offset = spare_key(self.key, token), 0
        try:
            with closing(self.bucket.get(key, offset=offset, block=size)) as blocks:
                data = next(blocks, b"")
            if len(data) != size:
                raise StorageFailed(f"part {index} of {self.key} ends after {len(data)} bytes, not {size}")
            home = Home(index + 1, md5_of(data), self.upload)
            self.bucket.upload_part(self.key, self.upload, home.number, [data], home.md5)
        except FileNotFoundError as error:
            raise StorageFailed(f"part {index} of {self.key} is gone") from error
        return home

    def _etags(self, upload: str, homes: Sequence[Home]) -> list[tuple[int, str]]:
        if self.bucket.md5_etags:
            return [(home.number, home.md5) for home in homes]
        listed = {part.number: part.etag for part in self.bucket.parts(self.key, upload)}
        return [(home.number, listed.get(home.number, home.md5)) for home in homes]

    def _is_complete(self, size: int) -> bool:
        try:
            return self.bucket.head(self.key).size == size
        except FileNotFoundError:
            return False

    def _revoke_writers(self) -> None:
        with self._lock:
            writers = list(self._writers)
            self._writers.clear()
            self._sending.clear()
        for writer in writers:
            writer.revoke()


def spare_key(key: str, token: Spare) -> str:
    """The object of a part that replaces another one."""
    return f"{SPARES}/{key}/{token.name}"


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
