"""The headers of tus: what a client announces, checked."""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate

from facecli.api.offset_uploads import StoredUpload
from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.core.video.formats import by_file_name
from facecli.uploads.upload import Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination"
CONTENT_TYPE = "application/offset+octet-stream"
MAX_DIGITS = 18

CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32c": lambda data: crc32c(data).to_bytes(4, "big"),
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """The checksum of a whole body, as its client computed it."""

    algorithm: str
    expected: bytes

    def fits(self, body: bytes) -> bool:
        return CHECKSUMS[self.algorithm](body) == self.expected


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that is a size or an offset; InvalidInput when it is missing or anything else."""
    text = headers.get(name.lower(), "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise InvalidInput(f"{name} must be a number of bytes" + (f", not {text[:40]!r}" if text else ""))
    return int(text)


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """The checksum of the body, if the client sends one."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in CHECKSUMS:
        raise InvalidInput(f"checksum {algorithm[:40]!r} is not one of {', '.join(CHECKSUMS)}")
    return Checksum(algorithm=algorithm, expected=_decoded(encoded, "Upload-Checksum"))


def metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """The pairs of Upload-Metadata, as text."""
    pairs = dict[str, str]()
    for pair in headers.get("upload-metadata", "").split(","):
        key, _, encoded = pair.strip().partition(" ")
        if key in pairs:
            raise InvalidInput(f"{key[:40]} occurs twice in Upload-Metadata")
        if key:
            try:
                pairs[key] = _decoded(encoded, f"{key[:40]} in Upload-Metadata").decode()
            except UnicodeDecodeError as error:
                raise InvalidInput(f"{key[:40]} in Upload-Metadata is not UTF-8") from error
    return pairs


def name_and_type(pairs: Mapping[str, str]) -> tuple[str, str]:
    """The name and the file_type of an upload, from its metadata or its extension."""
    name = pairs.get("filename") or pairs.get("name", "")
    if not name:
        raise InvalidInput("Upload-Metadata needs filename: the name of the file, in base64")
    kind = pairs.get("filetype") or pairs.get("type", "")
    if match := re.fullmatch(r"(image|video)(/.*)?", kind):
        return name, match[1]
    if named := by_file_name(name):
        return name, named.kind
    raise InvalidInput(
        f"Upload-Metadata of {name!a} needs filetype: image or video, or a type such as video/mp4"
    )


def announced_size(headers: Mapping[str, str]) -> int | None:
    """The size of a new upload; None when its client will tell it later."""
    deferred = headers.get("upload-defer-length")
    if deferred is None:
        return number(headers, "Upload-Length")
    if deferred != "1" or "upload-length" in headers:
        raise InvalidInput("send either Upload-Length or Upload-Defer-Length: 1")
    return None


def described(upload: Upload) -> dict[str, str]:
    """The metadata of an upload, as far as it is kept."""
    pairs = {"filename": upload.name, "filetype": upload.file_type.value}
    encoded = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return {"upload-metadata": ",".join(encoded)}


def state(stored: StoredUpload) -> dict[str, str]:
    """The headers that tell how far an upload is."""
    upload = stored.upload
    headers = {"upload-offset": str(stored.offset), "cache-control": "no-store"}
    if upload.size is None:
        headers["upload-defer-length"] = "1"
    else:
        headers["upload-length"] = str(upload.size)
    if upload.completed:
        headers["upload-file-url"] = upload.file_url
    else:
        headers["upload-expires"] = formatdate(upload.expires_at, usegmt=True)
    return headers


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InvalidInput(f"{name} is not base64") from error
