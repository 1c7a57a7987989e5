"""A bucket of S3: the requests that the blob store makes, with errors of ours.

Theory of operation. The MD5 of what is sent is compared to that of what arrived: the ETag in the answer is
the latter, but not in a bucket encrypted by keys of KMS. There the request names the MD5, and S3 compares,
which costs it the MD5 twice. The answer to a request with MD5 shows which kind of bucket it is.
"""

import base64
import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.s3.transfer import S3UploadFailedError, TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from facecli.blobs.s3.clients import Clients
from facecli.blobs.s3.errors import translate_s3_errors
from facecli.blobs.s3.location import S3Location
from facecli.blobs.s3.pieces import Piece, Pieces
from facecli.core.errors import StorageFailed

TRANSFER_SIZE = 16 * 1024 * 1024  # bytes of a part of a local file; more for files of 156 GiB
TRANSFER_THREADS = 4
MAX_PARTS = 10_000  # of a multipart upload


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """An object, or a multipart upload in progress, whose size is 0."""

    key: str
    size: int
    modified_at: float  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class PartInfo:
    """An uploaded part of a multipart upload; `etag` without quotes."""

    number: int
    size: int
    etag: str
    modified_at: float


class Bucket:
    """Objects and multipart uploads below a prefix. Safe to use from many threads."""

    def __init__(self, location: S3Location, clients: Clients) -> None:
        self.location = location
        self.md5_etags = True  # whether ETags are MD5 sums; a request with MD5 shows it
        self._prefix = location.prefix
        self._client = clients.usual
        self._patient = clients.patient
        self.endpoint = str(self._client.meta.endpoint_url)

    def head(self, key: str) -> ObjectInfo:
        """FileNotFoundError when there is no object."""
        with self._translated(key):
            found = self._client.head_object(**self._of(key))
        return ObjectInfo(key=key, size=found["ContentLength"], modified_at=found["LastModified"].timestamp())

    def get(self, key: str, *, offset: int, block: int) -> Generator[bytes, None, None]:
        """The bytes of an object from `offset`; FileNotFoundError before the first."""
        with self._translated(key):
            try:
                wanted = {"Range": f"bytes={offset}-"} if offset else {}
                body = self._client.get_object(**self._of(key), **wanted)["Body"]
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 416:
                    return  # behind the end
                raise
        try:
            while data := self._read(key, body, block):
                yield data
        finally:
            body.close()

    def put(self, key: str, data: bytes) -> None:
        """Store an object at once, in place of an earlier one."""
        digest = hashlib.md5(data, usedforsecurity=False)
        with self._translated(key):
            response = self._client.put_object(
                **self._of(key), Body=data, ContentMD5=_base64(digest.digest())
            )
        self.md5_etags = _etag(response) == digest.hexdigest()

    def put_file(self, key: str, path: Path, size: int) -> None:
        """Store a local file; the object is visible once it is whole."""
        part_size = max(TRANSFER_SIZE, -(-size // MAX_PARTS))
        config = TransferConfig(
            multipart_threshold=part_size, multipart_chunksize=part_size, max_concurrency=TRANSFER_THREADS
        )
        with self._translated(key):
            try:
                self._client.upload_file(str(path), self.location.bucket, self._prefix + key, Config=config)
            except S3UploadFailedError as error:
                cause = error.__context__
                if isinstance(cause, ClientError | BotoCoreError):
                    raise cause from error
                raise StorageFailed(f"{key} was not stored in {self.location}: {error}") from error

    def copy(self, key: str, to: str) -> None:
        """Copy an object within the bucket."""
        with self._translated(key):
            self._client.copy(dict(self._of(key)), self.location.bucket, self._prefix + to)

    def delete(self, key: str) -> None:
        """Delete an object; harmless when there is none."""
        with self._translated(key):
            self._client.delete_object(**self._of(key))

    def objects(self, prefix: str) -> Iterator[ObjectInfo]:
        """Objects whose key begins with this text."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._translated(prefix):
            for page in pages.paginate(Bucket=self.location.bucket, Prefix=self._prefix + prefix):
                for each in page.get("Contents", ()):
                    yield ObjectInfo(
                        key=each["Key"].removeprefix(self._prefix),
                        size=each["Size"],
                        modified_at=each["LastModified"].timestamp(),
                    )

    def uploads(self, prefix: str) -> Iterator[tuple[ObjectInfo, str]]:
        """Multipart uploads in progress whose key begins with this text, and their ids."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with suppress(FileNotFoundError), self._translated(prefix):  # rclone: NoSuchUpload before the first
            for page in pages.paginate(Bucket=self.location.bucket, Prefix=self._prefix + prefix):
                for each in page.get("Uploads", ()):
                    key = each["Key"].removeprefix(self._prefix)
                    yield (
                        ObjectInfo(key=key, size=0, modified_at=each["Initiated"].timestamp()),
                        each["UploadId"],
                    )

    def create_upload(self, key: str) -> str:
        """Begin a multipart upload; return its id."""
        with self._translated(key):
            return str(self._client.create_multipart_upload(**self._of(key))["UploadId"])

    def upload_part(self, key: str, upload: str, number: int, pieces: Sequence[Piece], md5: str) -> str:
        """Upload a part, in place of an earlier one of this number; return its ETag without quotes."""
        if self.md5_etags and (etag := self._upload_part(key, upload, number, pieces)) == md5:
            return etag
        etag = self._upload_part(key, upload, number, pieces, ContentMD5=_base64(bytes.fromhex(md5)))
        self.md5_etags = etag == md5
        return etag

    def parts(self, key: str, upload: str) -> Iterator[PartInfo]:
        """The parts of a multipart upload, by number; FileNotFoundError when it has ended."""
        chosen: dict[str, Any] = {"UploadId": upload}
        with self._translated(key):
            while True:
                page = self._client.list_parts(**self._of(key), **chosen)
                for each in page.get("Parts", ()):
                    yield PartInfo(
                        number=each["PartNumber"],
                        size=each["Size"],
                        etag=_etag(each),
                        modified_at=each["LastModified"].timestamp(),
                    )
                if not page.get("IsTruncated"):
                    return
                chosen["PartNumberMarker"] = page["NextPartNumberMarker"]

    def complete_upload(self, key: str, upload: str, parts: Sequence[tuple[int, str]]) -> None:
        """Join parts, given by number and ETag, to the object.

        FileNotFoundError when the upload has ended, StorageFailed when a part differs.
        """
        named = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in parts]
        with self._translated(key):
            self._patient.complete_multipart_upload(
                **self._of(key), UploadId=upload, MultipartUpload={"Parts": named}
            )

    def abort_upload(self, key: str, upload: str) -> None:
        """End a multipart upload without an object; FileNotFoundError when it has ended."""
        with self._translated(key):
            self._client.abort_multipart_upload(**self._of(key), UploadId=upload)

    def _upload_part(
        self, key: str, upload: str, number: int, pieces: Sequence[Piece], **checksum: str
    ) -> str:
        with self._translated(key):
            response = self._client.upload_part(
                **self._of(key), UploadId=upload, PartNumber=number, Body=Pieces(pieces), **checksum
            )
        return _etag(response)

    def _read(self, key: str, body: Any, block: int) -> bytes:
        with self._translated(key):
            data: bytes = body.read(block)
            return data

    def _of(self, key: str) -> Mapping[str, str]:
        return {"Bucket": self.location.bucket, "Key": self._prefix + key}

    def _translated(self, subject: str) -> AbstractContextManager[None]:
        return translate_s3_errors(self.location.bucket, self.endpoint, subject)


def _etag(response: Mapping[str, Any]) -> str:
    return str(response["ETag"]).strip('"')


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
