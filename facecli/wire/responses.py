"""Checks of what a server sends, applied where its messages become dataclasses.

A server is input: it may be another version, not facecli, broken or malicious. Numbers and identifiers that
the client acts on must be possible; otherwise UnexpectedResponse, whose message continues `the server sent`.
Text that is only shown is shortened and loses its control characters here, so that nothing behind this door
can print them. Values unknown to this version stay as they are.
"""

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from facecli.core.errors import UnexpectedResponse
from facecli.core.printable import escaped, shortened

Item = TypeVar("Item")

MAX_TEXT = 4096  # characters of a message to people
MAX_WORD = 256  # characters of a name, a status or a version
MAX_IDENTIFIER = 1024  # characters of an ID
MAX_TOKEN = 16 * 1024  # characters of a page token
MAX_ITEMS = 1000  # of a list in the server's information
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, which dates can show


def text(value: str, *, limit: int = MAX_TEXT) -> str:
    """Text to show: one line, without control characters, at most `limit` characters."""
    return shortened(escaped(shortened(value, limit)), limit)


def word(value: str) -> str:
    """A name, a status or a version to show."""
    return text(value, limit=MAX_WORD)


def listed(values: Sequence[Item]) -> Sequence[Item]:
    """A list of bounded length."""
    if len(values) > MAX_ITEMS:
        raise UnexpectedResponse(f"a list of {len(values)} items")
    return values


def words(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(word, listed(values)))


def identifier(value: str, what: str) -> str:
    """An ID, which is sent back to the server unchanged."""
    if not value:
        raise UnexpectedResponse(f"no {what}")
    if len(value) > MAX_IDENTIFIER or escaped(value) != value:
        raise UnexpectedResponse(f"an impossible {what}: {text(value, limit=MAX_WORD)}")
    return value


def url(value: str, what: str) -> str:
    """The URL of a file; empty while there is none."""
    return identifier(value, what) if value else ""


def page_token(value: str) -> str:
    if len(value) > MAX_TOKEN:
        raise UnexpectedResponse(f"a page token of {len(value)} characters")
    return value


def amount(value: int, what: str) -> int:
    """A size or a revision, which cannot be negative."""
    if value < 0:
        raise UnexpectedResponse(f"an impossible {what}: {value}")
    return value


def clamped(value: int, low: int, high: int) -> int:
    """A number that is only shown."""
    return max(low, min(high, value))


def seconds(stamp: Timestamp, what: str) -> float:
    """A timestamp in seconds since 1970."""
    if not FIRST_SECOND <= stamp.seconds <= LAST_SECOND or not 0 <= stamp.nanos < 10**9:
        raise UnexpectedResponse(f"an impossible {what}: {stamp.seconds} s and {stamp.nanos} ns since 1970")
    return stamp.seconds + stamp.nanos / 1e9
