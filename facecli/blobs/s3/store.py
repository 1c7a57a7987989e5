"""Blobs in a bucket of S3: an object for each, and a multipart upload while it is staged."""

import errno
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from facecli.blobs.file_cache import FileCache
from facecli.blobs.keys import checked_key, checked_prefix, is_key_part
from facecli.blobs.s3.bucket import MAX_PARTS, Bucket, ObjectInfo, PartInfo
from facecli.blobs.s3.sender import PartSender
from facecli.blobs.s3.staged import SPARES, S3StagedBlob, spare_key
from facecli.blobs.s3.tokens import Home, Range, Spare, parse
from facecli.core.blobs import UNLIMITED, Capability, Part, PartLayout, PartLimits, StagedBlob
from facecli.core.errors import StorageFailed
from facecli.core.os_errors import translate_os_errors

MIN_PART = 5 * 1024 * 1024  # bytes; S3's minimum of every part but the last
LOST_AND_FOUND = "lost+found"  # no part of a key
CACHE_BLOCK = 1024 * 1024  # bytes in memory at once, of an object that is copied to this machine


class S3Blobs:
    """A BlobStore in a bucket; copies for programs that read files are in `cache`."""

    def __init__(self, bucket: Bucket, cache: FileCache, *, min_part: int = MIN_PART) -> None:
        self.bucket = bucket
        self._cache = cache
        self._limits = PartLimits(min_size=min_part, max_count=MAX_PARTS)
        self._sender = PartSender()

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset()

    @property
    def part_limits(self) -> PartLimits:
        return self._limits

    def begin(self, key: str, layout: PartLayout) -> StagedBlob:
        if self.exists(checked_key(key)):
            raise StorageFailed(f"{key} exists in bucket {self.bucket.location}")
        return self._staged(key, layout, upload=self.bucket.create_upload(key))

    def resume(self, key: str, layout: PartLayout, *, tokens: Mapping[int, str] | None) -> StagedBlob:
        checked_key(key)
        if tokens is None:
            if not self._has_object(key):
                raise StorageFailed(f"{key} is gone from bucket {self.bucket.location}")
            return self._staged(key, layout, upload="")
        homes = Counter(token.upload for token in map(parse, tokens.values()) if isinstance(token, Home))
        uploads = {upload for info, upload in self.bucket.uploads(key) if info.key == key}
        chosen: str | None = min(homes, key=lambda upload: (-homes[upload], upload), default=None)
        for upload in set(homes) & uploads - {chosen}:
            # Two servers began at the same moment. The parts of one cannot join those of the other.
            self._abort(key, upload)
        doubtful = len(homes) > 1
        if chosen not in uploads:
            whole = self._has_object(key)
            if not (tokens or uploads or whole):
                raise StorageFailed(f"{key} is gone from bucket {self.bucket.location}")
            doubtful = doubtful or (bool(homes) and not whole)
            others = sorted(uploads - set(homes))
            chosen = others[0] if others else None
        return self._staged(key, layout, upload=chosen, doubtful=doubtful)

    def reopen(self, key: str, layout: PartLayout) -> Sequence[str]:
        return [str(Range(index)) for index in range(layout.count)]

    def read_part(self, key: str, part: Part, *, block: int) -> Iterator[bytes]:
        checked_key(key)
        raise FileNotFoundError(errno.ENOENT, "a multipart upload is not readable", key)

    def has_part(self, key: str, part: Part) -> bool:
        """Compares the size, and the MD5 of all bytes as S3 computed it."""
        checked_key(key)
        token = parse(part.token)
        with suppress(FileNotFoundError):
            match token:
                case Spare():
                    return self.bucket.head(spare_key(key, token)).size == part.size
                case Range():
                    return self.bucket.head(key).size >= part.size
                case Home():
                    return self._has_home(key, token, part.size)
        return False

    def open(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        return self.bucket.get(checked_key(key), offset=offset, block=block)

    def local_copy(
        self, key: str, *, stopped: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[Path]:
        checked_key(key)
        return self._cache.file(
            key.replace("/", "."),
            size=lambda: self.bucket.head(key).size,
            blocks=lambda: self.bucket.get(key, offset=0, block=CACHE_BLOCK),
            stopped=stopped,
        )

    def put(self, key: str, source: Path) -> None:
        with translate_os_errors(checked_key(key)):
            size = source.lstat().st_size
            self.bucket.put_file(key, source, size)
            source.unlink()

    def rescue(self, key: str) -> None:
        """Move a blob to `lost+found/` in the bucket; what is staged cannot be read, and is deleted."""
        for found in list(self.bucket.objects(key)):
            if found.key == key:
                self.bucket.copy(key, f"{LOST_AND_FOUND}/{key}")
        self.delete(key)

    def trim(self, key: str, size: int) -> None:
        with self.local_copy(key) as whole, self._cache.scratch() as part:
            with translate_os_errors(key):
                shutil.copyfile(whole, part)
                os.truncate(part, size)
            self.put(key, part)

    def exists(self, key: str) -> bool:
        return self._has_object(checked_key(key)) or any(self._uploads(key))

    def size(self, key: str) -> int:
        with suppress(FileNotFoundError):
            return self.bucket.head(checked_key(key)).size
        uploads, spares = self._uploads(key), list(self._spares(key))
        if not uploads and not spares:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)
        parts = (part.size for upload in uploads for part in self._parts(key, upload))
        return sum(parts) + sum(spare.size for spare in spares)

    def modified_at(self, key: str) -> float:
        checked_key(key)
        times = [each.modified_at for each in self.bucket.objects(key) if each.key == key]
        times += [each.modified_at for each in self._spares(key)]
        times += [info.modified_at for info, _ in self.bucket.uploads(key) if info.key == key]
        times += [part.modified_at for upload in self._uploads(key) for part in self._parts(key, upload)]
        return max(times, default=time.time())

    def delete(self, key: str) -> None:
        below = f"{checked_key(key)}/"
        for info, upload in list(self.bucket.uploads(key)):
            if info.key == key or info.key.startswith(below):
                self._abort(info.key, upload)
        for found in list(self.bucket.objects(key)):
            if found.key == key or found.key.startswith(below):
                self.bucket.delete(found.key)
        for spare in list(self._spares(key)):
            self.bucket.delete(spare.key)
        self._cache.forget(key.replace("/", "."))

    def list(self, prefix: str) -> Sequence[str]:
        top = f"{checked_prefix(prefix)}/"
        keys = {each.key for each in self.bucket.objects(top)}
        keys |= {each.key.removeprefix(f"{SPARES}/").rpartition("/")[0] for each in self._spares(prefix)}
        keys |= {info.key for info, _ in self.bucket.uploads(top)}
        return sorted(key for key in keys if _is_key(key))

    def free_bytes(self) -> int:
        return UNLIMITED

    def _staged(
        self, key: str, layout: PartLayout, *, upload: str | None, doubtful: bool = False
    ) -> S3StagedBlob:
        return S3StagedBlob(self.bucket, key, layout, upload=upload, sender=self._sender, doubtful=doubtful)

    def _has_home(self, key: str, token: Home, size: int) -> bool:
        """Whether a part is in its multipart upload, or that was completed to the object."""
        try:
            parts = self.bucket.parts(key, token.upload)
            found = next((part for part in parts if part.number == token.number), None)
        except FileNotFoundError:
            return self.bucket.head(key).size >= size
        same = found and (found.etag == token.md5 or not self.bucket.md5_etags)
        return bool(found and same and found.size == size)

    def _spares(self, key: str) -> Iterator[ObjectInfo]:
        """Objects of parts that replace others."""
        return self.bucket.objects(f"{SPARES}/{key}/")

    def _uploads(self, key: str) -> Sequence[str]:
        return [upload for info, upload in self.bucket.uploads(key) if info.key == key]

    def _parts(self, key: str, upload: str) -> Iterator[PartInfo]:
        with suppress(FileNotFoundError):
            yield from self.bucket.parts(key, upload)

    def _abort(self, key: str, upload: str) -> None:
        with suppress(FileNotFoundError):
            self.bucket.abort_upload(key, upload)

    def _has_object(self, key: str) -> bool:
        try:
            self.bucket.head(key)
        except FileNotFoundError:
            return False
        return True


def _is_key(key: str) -> bool:
    """Whether an object can be a blob of ours; others in the bucket are left alone."""
    return "/" in key and all(map(is_key_part, key.split("/")))
