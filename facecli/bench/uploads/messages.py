"""Messages between `bench upload` and its client processes."""

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.bench.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """An order to send the content under these names; `proxy` is the address to connect to, or empty."""

    proxy: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The bytes stored so far in this run."""

    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A pause before a retry."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientResult:
    """The measurements of one client: `delays` in seconds per chunk, `resent` in bytes per retry."""

    seconds: float
    delays: list[float]
    resent: list[int]
    used: Usage
