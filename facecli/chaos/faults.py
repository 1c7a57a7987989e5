"""Network faults, and the plan of each connection, which a seed reproduces exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of bytes, 1 or more, from which a number is drawn each time: `low` to `high`, inclusive."""

    low: int
    high: int

    def draw(self, random: Random) -> int:
        return random.randint(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """Alternates `up` seconds of traffic and `down` seconds of refused and cut connections."""

    up: float
    down: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A flip of bit `bit` in the byte at offset `at`."""

    at: int
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """The faults of one connection, at offsets in its bytes to the server."""

    cut_at: int | None
    blackhole_at: int | None
    flips: Iterator[Flip]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of a proxy, all combined; the default is none.

    `delay` in seconds and `rate` in bytes per second apply to each direction. `cut`, `blackhole` and `flip`
    count the bytes of one connection to the server; with the same seed, the k-th connection always draws the
    same offsets. There are at most `cuts` cuts. With `reset`, these and the cuts of a flap are resets (RST,
    not FIN).
    """

    delay: float = 0.0
    rate: int | None = None
    cut: Span | None = None
    cuts: int | None = None
    reset: bool = False
    flap: Flap | None = None
    blackhole: Span | None = None
    flip: Span | None = None
    seed: int = 0

    def plan(self, connection: int) -> FaultPlan:
        """The plan of the connection with this number, starting at 1."""
        return FaultPlan(
            cut_at=self._draw("cut", self.cut, connection),
            blackhole_at=self._draw("blackhole", self.blackhole, connection),
            flips=self._flips(self._random("flip", connection)),
        )

    def _draw(self, fault: str, span: Span | None, connection: int) -> int | None:
        return span.draw(self._random(fault, connection)) if span else None

    def _flips(self, random: Random) -> Iterator[Flip]:
        passed = 0
        while self.flip:
            passed += self.flip.draw(random)
            yield Flip(at=passed - 1, bit=random.randrange(8))

    def _random(self, fault: str, connection: int) -> Random:
        return Random(f"{self.seed} {fault} {connection}")
