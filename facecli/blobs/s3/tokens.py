"""Tokens of parts in S3: where the bytes of a part are.

`p:<number>:<MD5>:<upload>` is a part of a multipart upload, `s:<MD5>:<name>` an object of its own, and
`o:<index>` a range of the complete object.
"""

import uuid
from dataclasses import dataclass

from facecli.core.errors import StorageFailed


@dataclass(frozen=True, slots=True)
class Home:
    """A part of a multipart upload, by its number, MD5 and the id of the upload."""

    number: int
    md5: str
    upload: str

    def __str__(self) -> str:
        return f"p:{self.number}:{self.md5}:{self.upload}"


@dataclass(frozen=True, slots=True)
class Spare:
    """A part that replaces a committed one, as an object of its own."""

    md5: str
    name: str

    def __str__(self) -> str:
        return f"s:{self.md5}:{self.name}"

    @classmethod
    def new(cls, md5: str, index: int) -> "Spare":
        return cls(md5, f"{index}-{uuid.uuid4().hex[:12]}")


@dataclass(frozen=True, slots=True)
class Range:
    """The part of this index in the complete object."""

    index: int

    def __str__(self) -> str:
        return f"o:{self.index}"


Token = Home | Spare | Range


def parse(token: str) -> Token:
    """StorageFailed for a token of another store."""
    match token.split(":", 3):
        case ["p", number, md5, upload] if number.isascii() and number.isdigit():
            return Home(int(number), md5, upload)
        case ["s", md5, name]:
            return Spare(md5, name)
        case ["o", index] if index.isascii() and index.isdigit():
            return Range(int(index))
    raise StorageFailed(
        "a chunk is not in this store; start the server with the --blobs that the chunk was stored with"
    )
