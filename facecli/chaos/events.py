"""Events of a proxy."""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """A direction of traffic, named by the side it goes to."""

    SERVER = "server"
    CLIENT = "client"


class EventKind(StrEnum):
    OPENED = "opened"
    CLOSED = "closed"
    CUT = "cut"
    BLACKHOLE = "blackhole"
    FLIP = "flip"
    DOWN = "down"
    UP = "up"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the proxy or of one of its connections.

    `to_server` and `to_client` count the bytes passed on this connection, `total_…` those on all connections.
    `connection` starts at 1, and is 0 for events of the proxy itself; `seconds` start when the proxy is
    created.
    """

    event: EventKind
    seconds: float
    connection: int
    to_server: int
    to_client: int
    total_to_server: int
    total_to_client: int
