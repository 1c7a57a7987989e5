"""Conditional and partial requests of a file (RFC 9110): ETag, Range, If-Range, If-Match, If-None-Match."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The bytes from `start` on, `length` of them."""

    start: int
    length: int


def etag(*, size: int, crc32c: int) -> str:
    return f'"{crc32c:08x}-{size:x}"'


def is_another(headers: Mapping[str, str], tag: str) -> bool:
    """Whether the client wants only another version than this one."""
    wanted = headers.get("if-match", "*")
    return wanted.strip() != "*" and tag not in {each.strip() for each in wanted.split(",")}


def is_unchanged(headers: Mapping[str, str], tag: str) -> bool:
    """Whether the client has this file already."""
    wanted = headers.get("if-none-match", "")
    return wanted.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in wanted.split(",")}


def requested_span(headers: Mapping[str, str], *, size: int, tag: str) -> Span | None:
    """The part of the file that a request asks for; None for all of it.

    ValueError for a part behind the end. Anything that is not one range of bytes counts as none, as does a
    range of another version of the file.
    """
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or headers.get("if-range", tag).strip() != tag:
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last or 0), size)
        start, end = size - length, size
        if not last:
            return None
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise ValueError
    return Span(start=start, length=end - start)
