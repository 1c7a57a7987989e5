"""Messages between `bench upload` and its client processes."""

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.bench.usage import Usage
from facecli.uploads.stage_times import StageTimes


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
    """The measurements of one client: `delays` in seconds per chunk, `resent` in bytes per retry.

    `stages` are those of all its streams in the server; None when the server does not measure them.
    """

    seconds: float
    delays: list[float]
    resent: list[int]
    used: Usage
    stages: StageTimes | None = None
